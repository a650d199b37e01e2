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

// Env is the environment that all parts of a gateway share.
type Env struct {
	Domain   jid.JID
	Info     transports.Info
	Settings Settings
	Version  string
	Log      *slog.Logger
	Now      func() time.Time // wall clock
	// Send passes a stanza to the server. It does not block.
	Send func(*stanza.Stanza)
	// Archive archives a message for its sender, an account of the server, where the server leaves that to the
	// gateway. What becomes a call is archived with it instead (tables.Batch.Sent).
	Archive func(*stanza.Stanza)
	// Trace is called at each step of a message between XMPP and the network.
	Trace    func(step string, attrs ...slog.Attr)
	Group    *Group
	Counters Counters

	first int64        // the number of a row at the time numbersSince
	last  atomic.Int64 // the last number that Next returned

	behind atomic.Int64 // how far the time by which old rows are removed is behind the clock
}

// Counters are the gateway's statistics for the operator.
type Counters struct {
	Events, Duplicates, Echoes, Delivered, Accepted, Calls, Retries, Refused, Limited, Failed, Panics atomic.Int64
}

// Numbers of rows are microseconds since this time, so that they stay below maxTime for long.
var numbersSince = time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC).UnixMicro()

const maxTime = 1<<51 - 1<<40 // the numbers above it are left for counting on

// Next returns a new number for a row: the time, or one more than the last number where the clock has not moved
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

// Continue makes Next return numbers greater than last, the last one of the database. first is the number of the time
// numbersSince. It must be called before Next.
func (e *Env) Continue(first, last int64) {
	e.first = first
	e.last.Store(last)
}

// SetDeletionTime notes the time by which old rows are removed now (store.Clock).
func (e *Env) SetDeletionTime(t time.Time) { e.behind.Store(int64(e.Now().Sub(t))) }

// DeletionTime is the time by which old rows are removed.
func (e *Env) DeletionTime() time.Time { return e.Now().Add(-time.Duration(e.behind.Load())) }

// Age is how old something in the database is. It goes by the time by which old rows are removed: a clock that jumps
// ahead makes nothing expire.
func (e *Env) Age(t time.Time) time.Duration { return e.DeletionTime().Sub(t) }

// Recover counts and logs a panic. It is deferred in a goroutine or step whose panic must not end the process.
func (e *Env) Recover(where string) {
	if v := recover(); v != nil {
		e.Panicked(where, v)
	}
}

// Panicked counts and logs a panic that the caller, a deferred function, has recovered.
func (e *Env) Panicked(where string, v any) {
	e.Counters.Panics.Add(1)
	e.Log.Error("panic", "where", where, "panic", fmt.Sprint(v), "stack", string(debug.Stack()))
}

// Notify sends a user a message from the gateway's own address.
func (e *Env) Notify(to jid.JID, text string) {
	e.Send(stanza.NewMessage(to.Bare(), e.Domain, stanza.TypeChat, stanza.TextElement("", "body", text)))
}
