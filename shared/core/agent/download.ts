/**
 * A busybox of Microsoft's registry, which has no limit of pulls for who is not known there: that of Azure Linux 3, an
 * index of several platforms.
 */
export const defaultDownloadImage =
  'mcr.microsoft.com/azurelinux/busybox@sha256:330ce7e940f7476089c4c74565c63767988e188b06988e58e76b54890e7f621b';
