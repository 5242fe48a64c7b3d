package statedir

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// NewBootID is later, as a text, than the one before, also where the clock went back: twelve digits of milliseconds and
// eight at random, so that two containers of one millisecond differ.
func NewBootID(previous string, now time.Time) string {
	ms := now.UnixMilli()
	digits, _, _ := strings.Cut(previous, "-")
	if before, err := strconv.ParseInt(digits, 16, 64); err == nil && len(digits) == 12 && before >= ms {
		ms = before + 1
	}
	var random [4]byte
	// It never fails (crypto/rand).
	_, _ = rand.Read(random[:])
	return fmt.Sprintf("%012x-%s", ms, hex.EncodeToString(random[:]))
}
