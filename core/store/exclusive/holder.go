package exclusive

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"
)

// Role is the command that holds a lock.
type Role string

// The roles.
const (
	Serve     Role = "dragoman serve"
	Component Role = "dragoman component"
	Account   Role = "dragoman account"
	Copy      Role = "dragoman store copy"
)

// How long a command that manages accounts is waited for, and how often it is tried again.
const (
	patience = 3 * time.Second
	settle   = time.Second
	retry    = 50 * time.Millisecond
)

// Holder is a process that holds a lock. Fields that are not known are zero.
type Holder struct {
	Role Role
	Host string
	PID  int
}

func self(role Role) Holder {
	host, _ := os.Hostname() // without one, the process id has to do
	if len(host) > maxHost {
		host = host[:maxHost]
	}
	return Holder{role, strings.ReplaceAll(host, ":", "-"), os.Getpid()}
}

// maxHost keeps a Holder within the 63 bytes that PostgreSQL keeps of the name of an application.
const maxHost = 24

// String returns the holder as parseHolder reads it.
func (h Holder) String() string { return string(h.Role) + " " + h.Host + ":" + strconv.Itoa(h.PID) }

func parseHolder(text string) Holder {
	text = strings.TrimSpace(text)
	role, at, _ := cutLast(text, " ")
	host, pid, ok := cutLast(at, ":")
	n, err := strconv.Atoi(pid)
	if !ok || err != nil {
		return Holder{Role: Role(text)} // another program's
	}
	return Holder{Role(role), host, n}
}

func cutLast(s, separator string) (before, after string, found bool) {
	if i := strings.LastIndex(s, separator); i >= 0 {
		return s[:i], s[i+len(separator):], true
	}
	return "", s, false
}

// HeldError says who keeps this process out.
type HeldError struct {
	What   string // the directory or the database
	Holder Holder
}

func (e *HeldError) Error() string {
	h := e.Holder
	if h.PID == 0 {
		return fmt.Sprintf("%s is in use by another process (%q): stop that one first", e.What, string(h.Role))
	}
	return fmt.Sprintf("%s is in use by '%s', process %d on %s: stop that one first", e.What, h.Role, h.PID, h.Host)
}

// nothing is the lock of a command that works beside the holder.
type nothing struct{}

func (nothing) Close() error { return nil }

// wait takes a lock by calling try. A command that manages accounts is waited for; beside a server such a command needs no lock.
func wait(ctx context.Context, role Role, try func() (io.Closer, error)) (io.Closer, error) {
	begun := time.Now()
	for until := begun.Add(patience); ; {
		lock, err := try()
		var held *HeldError
		if !errors.As(err, &held) {
			return lock, err
		}
		other := held.Holder.Role
		if role == Account && (other == Serve || other == Component || other == Account) {
			return nothing{}, nil
		}
		// A database notices a moment later than others that a process was killed.
		if other != Account && other != "" && time.Since(begun) > settle || time.Now().After(until) {
			return nil, err
		}
		select {
		case <-time.After(retry):
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}
