package router

import (
	"context"
	"errors"
	"log/slog"
	"sync"

	"github.com/dragoman-im/dragoman/core/stanza"
)

// ErrStop is what a stage returns when the stanza goes no further: it was taken, or is
// to be dropped without an answer.
var ErrStop = errors.New("stanza was taken")

// Position is where a stage runs among the others: those of a lower position see a stanza first, and
// within one those of the earlier feature.
type Position uint8

// The positions.
const (
	Refuse  Position = iota // drops or refuses stanzas
	Clean                   // takes out what a sender must not claim
	Archive                 // writes messages down
	Copy                    // gives copies to other sessions
	Hold                    // may hold a message back: it runs last
)

// Stage is one step that stanzas of and for local accounts pass. Every function may be
// nil. One that returns nil lets the stanza go on; ErrStop ends its way; a *stanza.Error
// ends it and goes to the sender; any other error is logged and the sender gets
// internal-server-error.
//
// They run in the sender's goroutine and may wait for the store, but not for the peer.
type Stage struct {
	Name     string
	Position Position
	// Outbound sees what a session of p.Account sends; p.Session is its session.
	Outbound func(ctx context.Context, p *Pass) error
	// Inbound sees what is for p.Account; for a message p.Targets are the sessions that
	// will get it, none where it is going to Undelivered next.
	Inbound func(ctx context.Context, p *Pass) error
	// Undelivered sees the messages that no session took and that may be kept for later.
	Undelivered func(ctx context.Context, p *Pass) error
	// Nobody sees the messages for addresses of no account (p.Account is nil) that an account
	// without sessions might keep. It answers as Undelivered would for such an account and keeps
	// nothing, so that accounts cannot be guessed.
	Nobody func(ctx context.Context, p *Pass) error
}

// Pass is one stanza on its way through the stages. It is only good until the stage returns.
type Pass struct {
	Host    *Host
	Stanza  *stanza.Stanza // a stage may put a changed copy here
	Account *Account       // on whose behalf the stage runs; nil where there is no such account
	Session *Bound         // the sender's, nil for a stanza that is not of a local session
	Targets []*Bound       // Inbound messages
	Before  *Presence      // PresenceHandler.Sent: the session's presence before this stanza

	batch *Batch
	space [4]*Bound
}

// Route sends another stanza on its way.
func (p *Pass) Route(st *stanza.Stanza) { p.Host.router.RouteIn(p.batch, st) }

// Deliver gives another stanza to one session, past all rules and stages.
func (p *Pass) Deliver(to *Bound, st *stanza.Stanza) { to.deliver(p.batch, st) }

// BeginWrite announces a write of this stanza: the stanza is safe only after it. The returned
// function is called once, when the write is committed or has failed.
func (p *Pass) BeginWrite() func(error) { return p.batch.beginWrite() }

var passes = sync.Pool{New: func() any { return new(Pass) }}

func (h *Host) newPass(b *Batch, a *Account, st *stanza.Stanza) *Pass {
	p := passes.Get().(*Pass)
	p.Host, p.Account, p.Stanza, p.batch = h, a, st, b
	p.Targets = p.space[:0]
	return p
}

func (p *Pass) free() {
	*p = Pass{}
	passes.Put(p)
}

// which of a stage's functions is run.
type side uint8

const (
	outbound side = iota
	inbound
	undelivered
	nobody
)

func (s *Stage) on(at side) func(context.Context, *Pass) error {
	switch at {
	case outbound:
		return s.Outbound
	case inbound:
		return s.Inbound
	case nobody:
		return s.Nobody
	}
	return s.Undelivered
}

// run lets p through the stages of one side; false where its way has ended.
func (h *Host) run(p *Pass, at side) bool {
	for i := range h.stages {
		f := h.stages[i].on(at)
		if f == nil {
			continue
		}
		if err := f(p.batch.context(), p); err != nil {
			h.end(p, err, h.stages[i].Name)
			return false
		}
	}
	return true
}

// end turns what a stage or the presence handler returned into an answer.
func (h *Host) end(p *Pass, err error, where string) {
	if errors.Is(err, ErrStop) {
		return
	}
	h.router.Bounce(p.batch, p.Stanza, h.condition(err, where))
}

// condition is the error that the sender gets to see.
func (h *Host) condition(err error, where string) *stanza.Error {
	var e *stanza.Error
	if errors.As(err, &e) {
		return e
	}
	return h.fault(err, "stanza not handled", "where", where)
}

// Fault logs an error that should not be, and is what the sender gets to see of it.
func (h *Host) Fault(err error, what string) *stanza.Error { return h.fault(err, what) }

func (h *Host) fault(err error, what string, attrs ...any) *stanza.Error {
	level := slog.LevelError
	if stanza.Temporary(err) { // whoever made it has logged it
		level = slog.LevelDebug
	}
	h.log.Log(context.Background(), level, what, append(attrs, "err", err)...)
	return stanza.Fault(err)
}
