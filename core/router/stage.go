package router

import (
	"context"
	"errors"
	"log/slog"
	"sync"

	"github.com/dragoman-im/dragoman/core/stanza"
)

// ErrStop is returned by a stage that ends the processing of a stanza without an error: the stage
// has handled it, or drops it without an answer.
var ErrStop = errors.New("processing of the stanza ends here")

// Position orders the stages: those with a lower position run first, and at equal positions those of the
// feature that was added first.
type Position uint8

// The positions, in the order in which they run.
const (
	Refuse  Position = iota // refuses stanzas or drops them
	Clean                   // removes elements that a sender must not forge
	Archive                 // stores messages
	Copy                    // delivers copies to other sessions
	Hold                    // may delay a message: it runs last
)

// Stage is one step in the processing of stanzas from and to local accounts. Every function may be nil. If
// it returns nil, the next stage runs; ErrStop ends the processing; a *stanza.Error ends it and is sent to
// the sender; any other error is logged and the sender gets internal-server-error.
//
// The functions run in the sender's goroutine. They may wait for the store, but not for a client.
type Stage struct {
	Name     string
	Position Position
	// Outbound is called for each stanza that a session of p.Account sends; p.Session is that session. For a message
	// that somebody else sends in the account's name (SendAs), p.Session is nil.
	Outbound func(ctx context.Context, p *Pass) error
	// Inbound is called for each stanza to p.Account. For a message, p.Targets are the sessions that will
	// get it; if there are none, Undelivered is called next.
	Inbound func(ctx context.Context, p *Pass) error
	// Skip reports that Inbound does nothing with such a stanza, whoever it is for; nil is never. It is asked once for a stanza
	// that goes to many, whose To is empty.
	Skip func(*stanza.Stanza) bool
	// Shared says that Inbound does not look at the To of a message. It may be empty then: see Endpoint.Broadcast.
	Shared bool
	// Undelivered is called for messages that no session gets and that may be stored.
	Undelivered func(ctx context.Context, p *Pass) error
	// Detached is called when a session has lost its connection and may be resumed (XEP-0198), with what was delivered on that
	// connection to a client in use and not acknowledged.
	Detached func(ctx context.Context, b *Bound, unacked []*stanza.Stanza)
}

// Only is the Skip of a stage that handles one kind of stanzas.
func Only(kind stanza.Kind) func(*stanza.Stanza) bool {
	return func(st *stanza.Stanza) bool { return st.Kind != kind }
}

// Pass is one stanza on its way through the stages. It is only valid until the stage returns.
type Pass struct {
	Host     *Host
	Stanza   *stanza.Stanza // a stage may replace it with a changed copy
	Account  *Account       // the account whose stages run; nil if it does not exist
	Session  *Bound         // the sender's; nil if the sender is not a local session
	Targets  []*Bound       // the receiving sessions, for Inbound of a message
	Previous *Presence      // PresenceHandler.Sent: the session's presence before this stanza

	batch *Batch
	space [4]*Bound
	sent  bool // the receiver has the stanza already: see NoteSent
}

// Route routes another stanza.
func (p *Pass) Route(st *stanza.Stanza) { p.Host.router.RouteIn(p.batch, st) }

// Deliver delivers another stanza to one session without applying rules or stages.
func (p *Pass) Deliver(to *Bound, st *stanza.Stanza) { to.deliver(p.batch, st) }

// BeginWrite registers a database write without which the stanza is not safe (see Endpoint.SendAll, and Batch.SetWrites). Call
// it before the write is queued, in the stage, and the returned function once, when the write has been committed or has failed.
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

// side selects one of a stage's functions.
type side uint8

const (
	outbound side = iota
	inbound
	undelivered
)

func (s *Stage) on(at side) func(context.Context, *Pass) error {
	switch at {
	case outbound:
		return s.Outbound
	case inbound:
		return s.Inbound
	}
	return s.Undelivered
}

// run runs the stages' functions of one side; false means that the processing has ended.
func (h *Host) run(p *Pass, at side) bool {
	where, err := h.runStages(p, at)
	if err != nil {
		h.end(p, err, where)
	}
	return err == nil
}

// runStages returns the error that ended the processing, and the name of the stage that returned it.
func (h *Host) runStages(p *Pass, at side) (stage string, err error) {
	for i := range h.stages {
		f := h.stages[i].on(at)
		if f == nil {
			continue
		}
		if err := f(p.batch.context(), p); err != nil {
			return h.stages[i].Name, err
		}
	}
	return "", nil
}

// end answers a stanza with the error that a stage or the presence handler returned.
func (h *Host) end(p *Pass, err error, where string) {
	if errors.Is(err, ErrStop) {
		return
	}
	h.router.Bounce(p.batch, p.Stanza, h.errorFor(err, where))
}

// errorFor returns the stanza error that is sent for err; where names the stage or namespace in the log.
func (h *Host) errorFor(err error, where string) *stanza.Error {
	var e *stanza.Error
	if errors.As(err, &e) {
		return e
	}
	return h.logError(err, "stanza not handled", "where", where)
}

// LogError logs an unexpected error and returns the stanza error for the sender, which does not reveal it.
func (h *Host) LogError(err error, what string) *stanza.Error { return h.logError(err, what) }

func (h *Host) logError(err error, what string, attrs ...any) *stanza.Error {
	level := slog.LevelError
	if stanza.Temporary(err) { // its source has logged it
		level = slog.LevelDebug
	}
	h.log.Log(context.Background(), level, what, append(attrs, "err", err)...)
	return stanza.FromError(err)
}
