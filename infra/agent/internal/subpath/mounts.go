package subpath

import (
	"bufio"
	"io"
	"os"
	"strings"
)

// mountIn is a mount at or below a place; empty: there is none.
func mountIn(place string) (string, error) {
	file, err := os.Open("/proc/self/mountinfo")
	if err != nil {
		return "", err
	}
	defer file.Close()
	return findMount(file, place)
}

func findMount(mountinfo io.Reader, place string) (string, error) {
	lines := bufio.NewScanner(mountinfo)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		fields := strings.Fields(lines.Text())
		if len(fields) < 5 {
			continue
		}
		point := unescape(fields[4])
		if point == place || strings.HasPrefix(point, strings.TrimSuffix(place, "/")+"/") {
			return point, nil
		}
	}
	return "", lines.Err()
}

// unescape reads the octal escapes of blanks and backslashes (proc_pid_mountinfo(5)).
func unescape(text string) string {
	var out strings.Builder
	for index := 0; index < len(text); index++ {
		if text[index] == '\\' && index+3 < len(text) && isOctal(text[index+1:index+4]) {
			out.WriteByte((text[index+1]-'0')<<6 | (text[index+2]-'0')<<3 | (text[index+3] - '0'))
			index += 3
			continue
		}
		out.WriteByte(text[index])
	}
	return out.String()
}

func isOctal(digits string) bool {
	return digits[0] >= '0' && digits[0] <= '3' && strings.Trim(digits, "01234567") == ""
}
