package media

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/dragoman-im/dragoman/core/stanza"
	"github.com/dragoman-im/dragoman/transports"
)

// Whoever knows an address may ask for it without a login, and each reading from the network costs calls of its API by somebody's login.
const (
	// refusedTime is for how long a file is not asked for again that the network refuses.
	refusedTime = 10 * time.Minute
	// failedTime is for how long one is not asked for that could not be read for another reason.
	failedTime = 30 * time.Second
	// maxFailures is of how many files that is known.
	maxFailures = 10_000
)

// Rates limit readings from networks in a minute; zero and less mean no limit.
type Rates struct {
	Address int // that one client's address causes
	Login   int // by one login
}

var (
	// ErrNotAsked is of a Source none of whose logins was used: those that see a file are not connected, or not usable now.
	ErrNotAsked = &transports.Error{Class: transports.Retry, Text: "no login can be asked for the file now"}
	// errStalled is of a network that sends nothing any longer.
	errStalled = &transports.Error{Class: transports.Retry, Text: "the network does not send the file"}
	// errAddressRate is of a client that asks for too much.
	errAddressRate = &transports.Error{Class: transports.Retry, Text: "too many files were asked for from this address"}
)

// failures are the files that could not be read a short time ago.
type failures struct {
	mu   sync.Mutex
	list map[string]failure
}

type failure struct {
	err   error
	until time.Time
}

// of is the error with which a file could not be read; nil where it may be tried.
func (f *failures) of(id string, now time.Time) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	got, ok := f.list[id]
	if ok && now.Before(got.until) {
		return got.err
	}
	delete(f.list, id)
	return nil
}

// note keeps the error of a reading. One that was ended because nobody waited for it says nothing about the file.
func (f *failures) note(id string, err error, now time.Time) {
	if err == nil || errors.Is(err, context.Canceled) || errors.Is(err, ErrNotAsked) {
		return
	}
	keep := failedTime
	if transports.ClassOf(err) == transports.Refused && !stanza.Temporary(err) {
		keep = refusedTime
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.list == nil {
		f.list = map[string]failure{}
	}
	if len(f.list) >= maxFailures {
		f.sweep(now)
	}
	f.list[id] = failure{err, now.Add(keep)}
}

// sweep makes room. The caller holds the lock.
func (f *failures) sweep(now time.Time) {
	for id, got := range f.list {
		if !now.Before(got.until) {
			delete(f.list, id)
		}
	}
	for id := range f.list {
		if len(f.list) < maxFailures {
			return
		}
		delete(f.list, id) // any
	}
}

// loginRates counts the readings of the logins of one gateway.
type loginRates struct {
	limit int // in a minute

	mu   sync.Mutex
	list map[transports.LoginID]rate
}

// rate is what of the limit is used, which falls with time.
type rate struct {
	used float64
	at   time.Time
}

func newLoginRates(limit int) *loginRates {
	return &loginRates{limit: limit, list: map[transports.LoginID]rate{}}
}

// take counts a reading; false where the login is not to be used now.
func (l *loginRates) take(id transports.LoginID, now time.Time) bool {
	if l.limit <= 0 {
		return true
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	r := l.list[id]
	if passed := now.Sub(r.at).Minutes(); passed > 0 {
		r.used, r.at = max(0, r.used-passed*float64(l.limit)), now
	}
	if r.used+1 > float64(l.limit) {
		return false
	}
	r.used++
	l.list[id] = r
	return true
}

// forget removes the logins that were not used in the last minute.
func (l *loginRates) forget(now time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for id, r := range l.list {
		if now.Sub(r.at) >= time.Minute {
			delete(l.list, id)
		}
	}
}
