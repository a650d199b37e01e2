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
	Import    Role = "dragoman account import"
	Copy      Role = "dragoman store copy"
)

// Times of waiting for a lock that another process holds.
const (
	accountWait = 3 * time.Second       // until a command that manages accounts ends
	killedWait  = time.Second           // until the database notices that the holder was killed
	tryEvery    = 50 * time.Millisecond // between attempts
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

// String returns the holder in the form that parseHolder reads: "dragoman serve HOST:PID".
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

// HeldError means that another process holds the lock.
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

// noLock stands for a lock where a command works beside the holder and needs none.
type noLock struct{}

func (noLock) Close() error { return nil }

// wait takes a lock by calling try until it succeeds or the holder is not one that will end soon. It waits for a command that
// manages accounts, but such a command itself needs no lock beside a server.
func wait(ctx context.Context, role Role, try func() (io.Closer, error)) (io.Closer, error) {
	begun := time.Now()
	for until := begun.Add(accountWait); ; {
		lock, err := try()
		var held *HeldError
		if !errors.As(err, &held) {
			return lock, err
		}
		other := held.Holder.Role
		if role == Account && (other == Serve || other == Component || other == Account) {
			return noLock{}, nil
		}
		// A database may notice only after a moment that the holder was killed.
		if other != Account && other != "" && time.Since(begun) > killedWait || time.Now().After(until) {
			return nil, err
		}
		select {
		case <-time.After(tryEvery):
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}
