package bridge

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/dragoman-im/dragoman/transports"
)

// sink is what one opening of an account's session gives its events to.
type sink struct {
	a      *account
	over   chan error    // the session is final
	posted chan struct{} // one for each event on its way to the disk
	closed atomic.Bool
}

// maxPosted is how many events of one session may be on their way to the disk.
const maxPosted = 1024

// Deliver implements transports.Sink.
func (s *sink) Deliver(ctx context.Context, e transports.Event) error {
	if err := s.check(e); err != nil {
		return err
	}
	if e.Ephemeral() {
		s.a.g.fleeting(s.a, e)
		return nil
	}
	done := make(chan error, 1)
	s.Post(ctx, e, func(err error) { done <- err })
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return ctx.Err() // it may be kept all the same; its key keeps it from coming twice
	}
}

// Post implements transports.Poster.
func (s *sink) Post(ctx context.Context, e transports.Event, done func(error)) {
	err := s.check(e)
	if err != nil || e.Ephemeral() {
		if err == nil {
			s.a.g.fleeting(s.a, e)
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
			s.kept(ctx.Err())
			done(ctx.Err())
			return
		}
	}
	s.traced(e)
	// The event was heard: whether somebody still waits for it makes no difference to its room.
	s.a.g.post1(context.WithoutCancel(ctx), s.a, e, s.closed.Load, func(err error) {
		<-s.posted
		s.kept(err)
		done(err)
	})
}

// kept looks at what became of an event. No later one may pass an event that was not kept, since the
// past of a room is read from the last message that it has: the session is over then, and the
// next one reads what was missed. A full room sees to that by itself.
func (s *sink) kept(err error) {
	if err == nil || errors.Is(err, errFull) || transports.ClassOf(err) == transports.Refused || s.closed.Load() {
		return
	}
	s.a.mu.Lock()
	s.a.unkept = true
	s.a.mu.Unlock()
	s.shut(err)
}

// shut has the session opened again, and takes nothing from it until then.
func (s *sink) shut(err error) {
	if !s.closed.Swap(true) {
		s.end(transports.Later(time.Second, err))
	}
}

func (s *sink) check(e transports.Event) error {
	if s.closed.Load() {
		return transports.Later(0, errors.New("the session is closed"))
	}
	if err := checkEvent(e); err != nil {
		s.a.g.log.Warn("event refused", "account", s.a.id, "room", e.Room, "key", e.Key, "error", err)
		return transports.Refuse("bad-request", "the event cannot be used", err)
	}
	return nil
}

func (s *sink) traced(e transports.Event) {
	s.a.g.trace("deliver", slog.String("account", string(s.a.id)), slog.String("room", string(e.Room)),
		slog.String("kind", transports.BodyKind(e.Body)), slog.String("key", e.Key))
}

// State implements transports.Sink.
func (s *sink) State(state transports.State, cause error) {
	if s.closed.Load() {
		return
	}
	s.a.mu.Lock()
	s.a.told = true
	s.a.mu.Unlock()
	switch state {
	case transports.NeedsLogin:
		s.end(&transports.Error{Class: transports.NeedLogin, Text: errorText(cause, "the network does not accept the credentials any longer"), Err: cause})
	case transports.Failed:
		s.end(&transports.Error{Class: transports.Refused, Text: errorText(cause, "the connection failed for good"), Err: cause})
	case transports.Closed:
		s.end(transports.Later(time.Second, fmt.Errorf("session closed: %w", cause)))
	case transports.Connecting:
		s.a.setState(context.Background(), state, cause)
		if cause != nil {
			s.a.letGo(true) // the others' rooms do not wait for this session
		}
	default:
		if !s.a.mustBegin() || s.beginCatchUp() {
			s.a.setState(context.Background(), state, cause)
		}
	}
}

func (s *sink) end(err error) {
	select {
	case s.over <- err:
	default:
	}
}

// Resynced implements transports.Sink.
func (s *sink) Resynced(rooms ...transports.RoomID) {
	if s.closed.Load() {
		return
	}
	if len(rooms) == 0 && s.beginCatchUp() {
		s.a.runCatchUp()
	}
	for _, id := range rooms {
		row, ok, err := s.a.g.roomOf(s.a.g.ctx, s.a, id)
		if err != nil {
			s.shut(err)
			return
		}
		if ok { // else its past is read when it is found
			s.a.missed(row)
		}
	}
}

func (s *sink) beginCatchUp() bool {
	err := s.a.beginCatchUp(s.a.g.ctx)
	if err != nil {
		s.shut(err)
	}
	return err == nil
}

// maxNotices bounds how many different things one account is told of by its sessions.
const maxNotices = 200

// maxNoticeText bounds what a session may say at once, in bytes.
const maxNoticeText = 2000

// Notice implements transports.Noticer.
func (s *sink) Notice(key, text string) {
	a := s.a
	if s.closed.Load() || text == "" {
		return
	}
	a.mu.Lock()
	known := a.noticed[key] == text || len(a.noticed) >= maxNotices
	if !known {
		if a.noticed == nil {
			a.noticed = map[string]string{}
		}
		a.noticed[key] = text
	}
	name := a.row.Name
	a.mu.Unlock()
	if known {
		return
	}
	a.g.log.Warn("an account is told what it lacks", "account", a.id, "about", key, "text", text)
	a.g.tell(a.owner, fmt.Sprintf("Your %s account %s: %s", a.g.info.Name, name, cutBytes(text, maxNoticeText)))
}

// Save implements transports.Sink.
func (s *sink) Save(state json.RawMessage) {
	s.a.mu.Lock()
	s.a.row.State = state
	s.a.mu.Unlock()
	s.a.g.inbox.save(s.a.id, state)
}

// Rotate implements transports.Sink.
func (s *sink) Rotate(ctx context.Context, secret []byte) error {
	s.a.sealing.Lock()
	defer s.a.sealing.Unlock()
	return s.a.keepSecret(ctx, secret)
}

// checkEvent refuses what no network should say.
func checkEvent(e transports.Event) error {
	if e.Body == nil {
		return errors.New("no body")
	}
	if len(e.Room) > maxID || len(e.Peer) > maxID || len(e.Actor) > maxID || len(e.Key) > maxKey || len(e.Nonce) > maxKey {
		return errors.New("an id is too long")
	}
	if e.Key == "" && !e.Ephemeral() {
		return errors.New("no key")
	}
	switch b := e.Body.(type) {
	case transports.Message:
		if b.ID == "" || len(b.ID) > maxID {
			return errors.New("a message needs an id")
		}
		if len(b.Files) > 10*maxFiles {
			return errors.New("too many files")
		}
	case transports.Edit:
		if b.ID == "" || len(b.ID) > maxID {
			return errors.New("an edit needs an id")
		}
	}
	switch e.Body.(type) {
	case transports.Contact, transports.Presence:
		return nil
	}
	if e.Room == "" && e.Peer == "" {
		return errors.New("no room")
	}
	return nil
}
