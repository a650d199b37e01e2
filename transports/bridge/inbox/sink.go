package inbox

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/dragoman-im/dragoman/transports"
	"github.com/dragoman-im/dragoman/transports/bridge/convert"
	"github.com/dragoman-im/dragoman/transports/bridge/logins"
)

// maxPosted is how many events of one client may be on their way to the disk.
const maxPosted = 1024

// Ephemeral shows events that are not stored.
type Ephemeral interface {
	ShowEphemeral(l *logins.Login, e transports.Event)
}

// Sink takes the events of one client of a login.
type Sink struct {
	inbox     *Inbox
	backfill  *Backfill
	ephemeral Ephemeral
	login     *logins.Login
	end       func(error)   // ends the client
	posted    chan struct{} // one for each event on its way to the disk
	closed    atomic.Bool
}

// Open makes the sink of a client that is about to be opened. Events may have been missed since the last
// one: the rooms of the login are held until their history was read.
func (b *Backfill) Open(ctx context.Context, l *logins.Login, end func(error), e Ephemeral) (*Sink, error) {
	s := &Sink{inbox: b.inbox, backfill: b, ephemeral: e, login: l, end: end, posted: make(chan struct{}, maxPosted)}
	return s, b.Begin(ctx, l)
}

// Close refuses further events.
func (s *Sink) Close() { s.closed.Store(true) }

// Deliver implements transports.Sink.
func (s *Sink) Deliver(ctx context.Context, e transports.Event) error {
	if err := s.check(e); err != nil {
		return err
	}
	if e.Ephemeral() {
		s.ephemeral.ShowEphemeral(s.login, e)
		return nil
	}
	done := make(chan error, 1)
	s.Post(ctx, e, func(err error) { done <- err })
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return ctx.Err() // it may be stored all the same; its key keeps it from coming twice
	}
}

// Post implements transports.Poster.
func (s *Sink) Post(ctx context.Context, e transports.Event, done func(error)) {
	err := s.check(e)
	if err != nil || e.Ephemeral() {
		if err == nil {
			s.ephemeral.ShowEphemeral(s.login, e)
		}
		done(err)
		return
	}
	select {
	case s.posted <- struct{}{}:
	default:
		select {
		case s.posted <- struct{}{}:
		case <-ctx.Done():
			s.stored(ctx.Err())
			done(ctx.Err())
			return
		}
	}
	s.inbox.env.Trace("deliver", slog.String("login", string(s.login.ID)), slog.String("room", string(e.Room)),
		slog.String("kind", transports.BodyKind(e.Body)), slog.String("key", e.Key))
	// The event is stored even if the caller no longer waits.
	s.inbox.post(context.WithoutCancel(ctx), s.login, e, s.closed.Load, func(err error) {
		<-s.posted
		s.stored(err)
		done(err)
	})
}

// stored takes the outcome of storing an event. If it failed, no later event may be stored, since the history of a
// room is read from the last message that is stored: the client is ended, and the next one reads what was
// missed. For a full room this is not needed: its history is read when there is space again.
func (s *Sink) stored(err error) {
	if err == nil || errors.Is(err, errFull) || transports.ClassOf(err) == transports.Refused || s.closed.Load() {
		return
	}
	s.login.Unstored()
	s.fail(err)
}

// fail has the client opened again, and takes nothing from it until then.
func (s *Sink) fail(err error) {
	if !s.closed.Swap(true) {
		s.end(transports.Later(time.Second, err))
	}
}

func (s *Sink) check(e transports.Event) error {
	if s.closed.Load() {
		return transports.Later(0, errors.New("the client is closed"))
	}
	if err := check(e); err != nil {
		s.inbox.env.Log.Warn("event refused", "login", s.login.ID, "room", e.Room, "key", e.Key, "error", err)
		return transports.Refuse("bad-request", "the event cannot be used", err)
	}
	return nil
}

// State implements transports.Sink.
func (s *Sink) State(state transports.State, cause error) {
	if s.closed.Load() {
		return
	}
	s.login.Reported()
	switch state {
	case transports.NeedsLogin:
		text := convert.ErrorText(cause, "the network does not accept the credentials any longer")
		s.end(&transports.Error{Class: transports.NeedLogin, Text: text, Err: cause})
	case transports.Failed:
		s.end(&transports.Error{Class: transports.Refused, Text: convert.ErrorText(cause, "the connection failed for good"), Err: cause})
	case transports.Closed:
		s.end(transports.Later(time.Second, fmt.Errorf("client closed: %w", cause)))
	case transports.Connecting:
		s.login.SetState(state, cause)
		if cause != nil {
			s.backfill.Release(s.login, true) // rooms that others see do not wait for this client
		}
	default:
		if !s.backfill.MustBegin(s.login) || s.begin() {
			s.login.SetState(state, cause)
		}
	}
}

// Resynced implements transports.Sink.
func (s *Sink) Resynced(rooms ...transports.RoomID) {
	if s.closed.Load() {
		return
	}
	if len(rooms) == 0 && s.begin() {
		s.backfill.Run(s.login)
	}
	for _, id := range rooms {
		row, ok, err := s.inbox.index.ByNetworkID(s.inbox.env.Group.Context(), s.login, id)
		if err != nil {
			s.fail(err)
			return
		}
		if ok { // else its history is read when it is found
			s.backfill.Missed(s.login, row)
		}
	}
}

func (s *Sink) begin() bool {
	err := s.backfill.Begin(s.inbox.env.Group.Context(), s.login)
	if err != nil {
		s.fail(err)
	}
	return err == nil
}

// Notice implements transports.Noticer.
func (s *Sink) Notice(key, text string) {
	if !s.closed.Load() && text != "" {
		s.login.Notice(key, text)
	}
}

// Save implements transports.Sink.
func (s *Sink) Save(state json.RawMessage) {
	s.login.SetResume(state)
	s.inbox.writer.save(s.login.ID, state)
}

// Rotate implements transports.Sink.
func (s *Sink) Rotate(ctx context.Context, secret []byte) error {
	return s.login.ReplaceSecret(ctx, secret)
}
