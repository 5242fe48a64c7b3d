package session

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// Pty is a new terminal: who serves it has the master, the program the other end.
type Pty struct {
	Master, Terminal *os.File
}

// NewPty opens a terminal that belongs to a user; -1 leaves it to who asks.
func NewPty(uid int) (*Pty, error) {
	descriptor, err := unix.Open("/dev/ptmx", unix.O_RDWR|unix.O_NOCTTY|unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, fmt.Errorf("/dev/ptmx: %w", err)
	}
	p := &Pty{Master: os.NewFile(uintptr(descriptor), "ptmx")}
	if err := p.openTerminal(descriptor, uid); err != nil {
		return nil, errors.Join(err, p.Master.Close())
	}
	return p, nil
}

func (p *Pty) openTerminal(master, uid int) error {
	if err := unix.IoctlSetPointerInt(master, unix.TIOCSPTLCK, 0); err != nil {
		return fmt.Errorf("unlock a terminal: %w", err)
	}
	number, err := unix.IoctlGetInt(master, unix.TIOCGPTN)
	if err != nil {
		return fmt.Errorf("number of a terminal: %w", err)
	}
	name := fmt.Sprintf("/dev/pts/%d", number)
	if p.Terminal, err = os.OpenFile(name, os.O_RDWR|unix.O_NOCTTY, 0); err != nil {
		return err
	}
	if uid < 0 {
		return nil
	}
	if err := p.Terminal.Chown(uid, -1); err != nil {
		return errors.Join(err, p.Terminal.Close())
	}
	return nil
}

// Resize sets rows and columns; 0 is what a terminal has before anybody knows.
func (p *Pty) Resize(rows, cols uint16) error {
	connection, err := p.Master.SyscallConn()
	if err != nil {
		return err
	}
	var failure error
	// By the raw descriptor: asking the file for it would make its reads block for ever.
	err = connection.Control(func(descriptor uintptr) {
		failure = unix.IoctlSetWinsize(int(descriptor), unix.TIOCSWINSZ, &unix.Winsize{Row: rows, Col: cols})
	})
	return errors.Join(err, failure)
}

// sizeOf reads a payload of the tag W.
func sizeOf(payload []byte) (rows, cols uint16, ok bool) {
	if len(payload) != 4 {
		return 0, 0, false
	}
	return binary.BigEndian.Uint16(payload), binary.BigEndian.Uint16(payload[2:]), true
}
