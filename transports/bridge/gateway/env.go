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

	last atomic.Int64 // number given to a row
}

// Counters count for the operator what has passed.
type Counters struct {
	Events, Duplicates, Echoes, Delivered, Accepted, Calls, Retries, Refused, Limited, Failed, Panics atomic.Int64
}

// Next is a new number for a row; numbers rise in the order in which they are given.
func (e *Env) Next() int64 { return e.last.Add(1) }

// Continue goes on numbering behind the last number of the database.
func (e *Env) Continue(last int64) { e.last.Store(last) }

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
