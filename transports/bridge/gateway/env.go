package gateway

import (
	"fmt"
	"log/slog"
	"runtime/debug"
	"sync/atomic"
	"time"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/stanza"
	"github.com/dragoman-im/dragoman/transports"
)

// Env is what all parts of a gateway share.
type Env struct {
	Domain   jid.JID
	Info     transports.Info
	Settings Settings
	Version  string
	Log      *slog.Logger
	Now      func() time.Time // wall clock
	// Send gives a stanza to the server. It does not wait.
	Send func(*stanza.Stanza)
	// Trace is called at each step of a message between XMPP and the network.
	Trace    func(step string, attrs ...slog.Attr)
	Group    *Group
	Counters Counters

	first int64        // number of a row at the time 0
	last  atomic.Int64 // number given to a row
}

// Counters count for the operator what has passed.
type Counters struct {
	Events, Duplicates, Echoes, Delivered, Accepted, Calls, Retries, Refused, Limited, Failed, Panics atomic.Int64
}

// Numbers of rows are microseconds since this time, so that they stay below maxTime for long.
var numbersSince = time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC).UnixMicro()

const maxTime = 1<<51 - 1<<40 // above it is room to count on

// Next is a new number for a row: the time, or one more than the last number where the clock has not moved
// on, or was set back. Numbers rise in the order in which they are given.
func (e *Env) Next() int64 {
	now := e.first + min(e.Now().UnixMicro()-numbersSince, maxTime)
	for {
		last := e.last.Load()
		next := max(now, last+1)
		if e.last.CompareAndSwap(last, next) {
			return next
		}
	}
}

// Continue goes on numbering behind the last number of the database. first is that of the time 0. It is
// called before Next.
func (e *Env) Continue(first, last int64) {
	e.first = first
	e.last.Store(last)
}

// Recover is deferred where a panic must not end the process.
func (e *Env) Recover(where string) {
	if v := recover(); v != nil {
		e.Panicked(where, v)
	}
}

// Panicked counts and logs a panic that was recovered. It is called in the deferred function.
func (e *Env) Panicked(where string, v any) {
	e.Counters.Panics.Add(1)
	e.Log.Error("panic", "where", where, "panic", fmt.Sprint(v), "stack", string(debug.Stack()))
}

// Notify sends somebody a message from the gateway itself.
func (e *Env) Notify(to jid.JID, text string) {
	e.Send(stanza.NewMessage(to.Bare(), e.Domain, stanza.TypeChat, stanza.TextElement("", "body", text)))
}
