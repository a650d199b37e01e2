package rooms

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/dragoman-im/dragoman/core/disco"
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/mailbox"
	"github.com/dragoman-im/dragoman/core/room"
	"github.com/dragoman-im/dragoman/core/room/muc"
	"github.com/dragoman-im/dragoman/core/room/rules"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// defaultIdle is how long a room without sessions stays loaded.
const defaultIdle = 5 * time.Minute

// Options describe a Service. Domain, Policy, Endpoint and Secret are required.
type Options struct {
	Domain   jid.JID
	Policy   Policy
	Endpoint Endpoint
	Secret   []byte // room.Options.Secret of all rooms

	// Store stores the rooms; nil if Policy.Open supplies their state. With a Store a room that is not
	// persistent is removed when the last session has left.
	Store  Store
	Limits rules.Limits
	// IdleFor is how long a room without sessions stays loaded; 0 means five minutes, a negative value
	// not at all.
	IdleFor time.Duration
	Queue   int // stanzas that wait for one room; 0 is mailbox.DefaultLimit

	// Info adds to the description of the service: its name and further features.
	Info disco.Info
	// Query answers further IQ requests to the service itself; nil refuses them.
	Query func(ctx context.Context, st *stanza.Stanza) (*stanza.Element, error)

	// Sender makes the Sender of a room; nil is NewSender with the Endpoint.
	Sender func() Sender
	// Mailboxes run the rooms; nil is a mailbox.Group of the Service.
	Mailboxes Mailboxes

	Now func() time.Time // nil is time.Now
	Log *slog.Logger     // nil is slog.Default()
}

// Service is the rooms of one domain. Its methods may be called by any goroutine.
type Service struct {
	opts Options
	// group runs the requests to the service itself, by the requester's bare JID, and the rooms, by their JID,
	// unless Options.Mailboxes is set.
	group *mailbox.Group[jid.JID, *Entry]
	rooms Mailboxes
}

// New returns a Service. Its work ends with ctx, but the caller must call Stop too.
func New(ctx context.Context, opts Options) *Service {
	if !opts.Domain.IsHost() || opts.Policy == nil || opts.Endpoint == nil || len(opts.Secret) == 0 {
		panic("rooms: Domain, Policy, Endpoint and Secret are needed")
	}
	if opts.IdleFor == 0 {
		opts.IdleFor = defaultIdle
	}
	if opts.Log == nil {
		opts.Log = slog.Default()
	}
	opts.Log = opts.Log.With("rooms", opts.Domain.String())
	if opts.Sender == nil {
		opts.Sender = func() Sender { return NewSender(opts.Endpoint) }
	}
	s := &Service{opts: opts, rooms: opts.Mailboxes}
	s.group = mailbox.New(ctx, mailbox.Options[jid.JID, *Entry]{
		New:        s.NewEntry,
		Work:       func(_ context.Context, h *Entry, _ mailbox.Marks) { h.Flush() },
		Disposable: (*Entry).Disposable,
		Unload:     (*Entry).Close,
		IdleFor: func(h *Entry) time.Duration {
			if h.room == nil {
				return 0 // the room does not exist, or the key is the bare JID of a requester
			}
			return opts.IdleFor
		},
		Limit: opts.Queue, Name: "room", Log: opts.Log,
	})
	if s.rooms == nil {
		s.rooms = s.group
	}
	return s
}

// Stop ends the Service: waiting stanzas are handled until ctx ends, then the occupants get
// unavailable presence with status 332.
func (s *Service) Stop(ctx context.Context) { s.group.Stop(ctx) }

// Stats returns counts of the rooms in memory and their jobs. Rooms in Options.Mailboxes are not counted.
func (s *Service) Stats() mailbox.Stats { return s.group.Stats() }

// Handle queues a stanza to the domain or to one of its rooms. It does not block.
func (s *Service) Handle(st *stanza.Stanza) {
	if st.From.IsZero() || st.To.Domain() != s.opts.Domain.String() || st.From.Domain() == s.opts.Domain.String() {
		return
	}
	var err error
	if st.To.Local() == "" {
		err = s.group.Enqueue(st.From.Bare(), func(ctx context.Context, _ *Entry) {
			defer s.answerPanic(st)
			s.serve(ctx, st)
		})
	} else {
		err = s.rooms.Enqueue(st.To.Bare(), func(ctx context.Context, h *Entry) {
			defer s.answerPanic(st)
			h.Handle(ctx, st)
		})
	}
	switch {
	case errors.Is(err, mailbox.ErrFull):
		refuse(s.opts.Endpoint.Send, st, stanza.ResourceConstraint("Too many stanzas are waiting to be processed here."))
	case err != nil:
		refuse(s.opts.Endpoint.Send, st, stanza.ServiceUnavailable(""))
	}
}

// answerPanic refuses a stanza whose handling panicked; the mailbox counts and logs the panic.
func (s *Service) answerPanic(st *stanza.Stanza) {
	if v := recover(); v != nil {
		refuse(s.opts.Endpoint.Send, st, stanza.InternalServerError())
		panic(v)
	}
}

// Call runs f with a room in the room's goroutine and waits for it. It loads the room if necessary and
// returns ErrNoRoom if the room does not exist. A room's goroutine must not call it.
func (s *Service) Call(ctx context.Context, at jid.JID, f func(ctx context.Context, r *room.Room) error) error {
	return s.call(ctx, at, func(ctx context.Context, h *Entry) error { return h.Do(ctx, f) })
}

func (s *Service) call(ctx context.Context, at jid.JID, f func(ctx context.Context, h *Entry) error) error {
	done := make(chan error, 1)
	err := s.rooms.Enqueue(at, func(ctx context.Context, h *Entry) {
		err := errors.New("panic") // overwritten unless f panics
		defer func() { done <- err }()
		err = f(ctx, h)
	})
	if err != nil {
		return err
	}
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return ctx.Err()
	case <-s.group.Stopped():
		return mailbox.ErrStopped
	}
}

// Later runs f in the room's goroutine, after what is queued there, if the room is loaded then. It does not block, and is for what must not
// be lost, such as the outcome of a write. It can be used only if Options.Mailboxes is nil. After Stop nothing runs.
func (s *Service) Later(at jid.JID, f func(ctx context.Context, r *room.Room)) {
	_ = s.group.EnqueueAlways(at, func(ctx context.Context, h *Entry) { // the only error is ErrStopped
		if h.room != nil {
			f(ctx, h.room)
			h.settle(ctx)
		}
	})
}

// fault returns the stanza error for the sender. It logs an error that is not a *stanza.Error.
func (s *Service) fault(err error, at jid.JID) *stanza.Error {
	var e *stanza.Error
	if errors.As(err, &e) {
		return e
	}
	s.opts.Log.Error("request to a room failed", "room", at.String(), "error", err)
	return stanza.FromError(err)
}

// missing returns the error for a room that does not exist or that the sender may not see.
func missing() *stanza.Error { return stanza.ItemNotFound("There is no such room that you can see.") }

// refuse answers a stanza with an error, unless it must not be answered.
func refuse(send func(*stanza.Stanza), st *stanza.Stanza, e *stanza.Error) {
	if st.Kind == stanza.Presence && st.Type != "" {
		return // no client waits for an answer to unavailable presence; a room has no subscriptions
	}
	if reply := muc.ErrorReply(st, e); reply != nil {
		send(reply)
	}
}
