/*
 * `getent hosts NAME…` over the libc that this is linked with: musl's resolver asks all name servers at once, and takes
 * the first answer. Prints "ADDRESS NAME" for each address; ends with 2 where a name has none, as getent does.
 */
#include <arpa/inet.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>

static int print_host(const char *name) {
  struct addrinfo hints = {.ai_family = AF_INET, .ai_socktype = SOCK_STREAM};
  struct addrinfo *found = NULL;
  char text[INET_ADDRSTRLEN];

  if (getaddrinfo(name, NULL, &hints, &found) != 0) return 2;
  for (struct addrinfo *one = found; one != NULL; one = one->ai_next) {
    struct sockaddr_in *address = (struct sockaddr_in *)one->ai_addr;
    printf("%s %s\n", inet_ntop(AF_INET, &address->sin_addr, text, sizeof text), name);
  }
  freeaddrinfo(found);
  return 0;
}

int main(int count, char **words) {
  int code = 0;

  if (count < 3 || (strcmp(words[1], "hosts") != 0 && strcmp(words[1], "ahostsv4") != 0)) {
    fprintf(stderr, "usage: getent hosts NAME...\n");
    return 1;
  }
  for (int index = 2; index < count; index++) code |= print_host(words[index]);
  return code;
}
