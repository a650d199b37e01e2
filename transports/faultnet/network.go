package faultnet

import (
	"context"
	"sync"
	"time"

	"github.com/dragoman-im/dragoman/transports"
	"github.com/dragoman-im/dragoman/transports/richtext"
)

// Network is the network of one World.
type Network struct{ World *World }

// New makes the network of a world; nil is a new world with a parrot in it.
func New(w *World) *Network {
	if w == nil {
		w = NewWorld()
	}
	return &Network{w}
}

// Info implements transports.Network. A capability may be declared only where the client
// has the interface of that name, and must be where it has.
func (n *Network) Info() transports.Info {
	return transports.Info{
		Kind: "echo", Name: "Echo", Short: "echo", Type: "echo", Caps: transports.Caps{
			MessageCaps: transports.MessageCaps{
				Edit: true, Delete: true, Moderate: true, React: true, Typing: true, Read: true, History: true, Reply: true, Thread: true, Repeatable: true,
			},
			RoomCaps:   transports.RoomCaps{Directory: true, Direct: true, Members: true},
			PeopleCaps: transports.PeopleCaps{Profiles: true},
			Limits:     transports.Limits{MaxText: n.World.MaxText},
			Changes:    []transports.ChangeKind{transports.ChangeJoin, transports.ChangeLeave, transports.ChangeTopic, transports.ChangeName},
		},
	}
}

// ClientType lets the check of the capabilities run when the transport is registered.
func (n *Network) ClientType() transports.Client { return (*client)(nil) }

// Open implements transports.Network: it returns once the network has accepted the login.
func (n *Network) Open(ctx context.Context, a transports.Login, sink transports.Sink) (transports.Client, error) {
	s := &client{w: n.World, user: a.User, token: string(a.Secret), sink: sink, wake: make(chan struct{}, 1)}
	if err := s.w.call(ctx, s); err != nil {
		return nil, err
	}
	ctx, s.cancel = context.WithCancel(context.WithoutCancel(ctx))
	s.w.attach(s)
	s.running.Go(func() { s.run(ctx) })
	return s, nil
}

// client is one login that is open.
type client struct {
	w       *World
	user    transports.UserID
	token   string
	sink    transports.Sink
	cancel  context.CancelFunc
	running sync.WaitGroup
	wake    chan struct{}

	queue []func(ctx context.Context) // what the network has sent us; under World.mu
	late  []transports.Event          // what it will send; under World.mu
}

// run takes what the network sends, in order. A real client reads its socket here.
func (s *client) run(ctx context.Context) {
	s.sink.State(transports.Online, nil)
	for {
		for _, f := range s.w.take(s) {
			f(ctx)
		}
		select {
		case <-s.wake:
		case <-ctx.Done():
			return
		}
	}
}

// post hands an event on without waiting for the disk; one that could not be kept is
// delivered again, as a network does that got no acknowledgement.
func (s *client) post(ctx context.Context, e transports.Event) {
	transports.Post(ctx, s.sink, e, func(err error) {
		if err != nil && transports.ClassOf(err) == transports.Retry && ctx.Err() == nil {
			time.AfterFunc(time.Second, func() { s.w.redeliver(s, e) })
		}
	})
}

// Close implements transports.Client.
func (s *client) Close(context.Context) error {
	s.w.detach(s)
	s.cancel()
	s.running.Wait()
	return nil
}

// Send implements transports.Client.
func (s *client) Send(ctx context.Context, m transports.Outgoing) (transports.Sent, error) {
	var sent transports.Sent
	s.w.noteNonce(m.ClientID)
	err := s.w.write(ctx, s, func() error {
		id, at, err := s.w.post(m.Room, s.user, m)
		sent = transports.Sent{ID: id, At: at}
		return err
	})
	return sent, err
}

// Edit implements transports.Editor.
func (s *client) Edit(ctx context.Context, message transports.MessageRef, m transports.Outgoing) (rest richtext.Text, err error) {
	return nil, s.w.write(ctx, s, func() error { return s.w.edit(message.Room, s.user, message.ID, m.Text) })
}

// Delete implements transports.Deleter.
func (s *client) Delete(ctx context.Context, message transports.MessageRef) error {
	return s.w.write(ctx, s, func() error { return s.w.remove(message.Room, s.user, message.ID) })
}

// React implements transports.Reactor.
func (s *client) React(ctx context.Context, message transports.MessageRef, change transports.ReactionChange) error {
	return s.w.write(ctx, s, func() error { return s.w.react(message.Room, s.user, message.ID, change.Add, change.Remove) })
}

// Typing implements transports.Typer.
func (s *client) Typing(ctx context.Context, room transports.RoomID, typing transports.Typing) error {
	return s.w.do(ctx, s, func() error {
		return s.w.emit(room, transports.Event{Actor: s.user, Body: typing})
	})
}

// MarkRead implements transports.Reader.
func (s *client) MarkRead(ctx context.Context, room transports.RoomID, mark transports.Read) error {
	return s.w.do(ctx, s, func() error {
		return s.w.emit(room, transports.Event{Key: s.w.key(string(mark.ID) + "/read/" + string(s.user)), Actor: s.user, Body: mark})
	})
}

// Room implements transports.Client.
func (s *client) Room(ctx context.Context, id transports.RoomID) (info transports.RoomInfo, err error) {
	err = s.w.do(ctx, s, func() (err error) { info, err = s.w.describe(id, s.user); return err })
	return info, err
}

// Direct implements transports.DirectOpener.
func (s *client) Direct(ctx context.Context, peer transports.UserID) (id transports.RoomID, err error) {
	err = s.w.do(ctx, s, func() (err error) { id, err = s.w.direct(s.user, peer); return err })
	return id, err
}

// History implements transports.Historian.
func (s *client) History(ctx context.Context, request transports.HistoryRequest) (page transports.HistoryPage, err error) {
	if err := s.w.awaitPast(ctx); err != nil {
		return page, err
	}
	err = s.w.do(ctx, s, func() (err error) { page, err = s.w.history(s.user, request); return err })
	return page, err
}

// Rooms implements transports.Directory.
func (s *client) Rooms(ctx context.Context, page func([]transports.RoomInfo) error) error {
	var list []transports.RoomInfo
	if err := s.w.do(ctx, s, func() error { list = s.w.rooms(s.user); return nil }); err != nil {
		return err
	}
	return page(list)
}

// Contacts implements transports.Directory.
func (s *client) Contacts(ctx context.Context, page func([]transports.UserInfo) error) error {
	var list []transports.UserInfo
	if err := s.w.do(ctx, s, func() error { list = s.w.others(s.user); return nil }); err != nil {
		return err
	}
	return page(list)
}

// Profile implements transports.Profiler.
func (s *client) Profile(ctx context.Context, user transports.UserID) (info transports.UserInfo, err error) {
	err = s.w.do(ctx, s, func() (err error) { info, err = s.w.user(user); return err })
	return info, err
}

// Members implements transports.MemberLister.
func (s *client) Members(ctx context.Context, request transports.MemberRequest) (page transports.MemberPage, err error) {
	err = s.w.do(ctx, s, func() (err error) { page, err = s.w.members(request); return err })
	return page, err
}

// Apply implements transports.Changer.
func (s *client) Apply(ctx context.Context, change transports.Change) (transports.Applied, error) {
	apply, run := s.w.write, func() error { return s.w.change(s.user, change) }
	if change.Kind != transports.ChangeTopic {
		apply = s.w.do
	}
	return transports.Applied{}, apply(ctx, s, run)
}
