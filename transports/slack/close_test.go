package slack

import (
	"context"
	"testing"
	"time"

	"github.com/dragoman-im/dragoman/transports"
	"github.com/dragoman-im/dragoman/transports/recorder"
	"github.com/dragoman-im/dragoman/transports/slack/fake"
)

// A client ends within a second whatever it is at; TestMain sees to its goroutines.
func TestCloseInAnyState(t *testing.T) {
	slow := func(o *Options) { o.RetryMin, o.RetryMax = time.Hour, time.Hour }
	for name, c := range map[string]struct {
		options func(*Options)
		before  func(w *world)
		reached func(w *world, s *client, k *recorder.Sink)
	}{
		"online": {nil, func(*world) {}, func(w *world, _ *client, k *recorder.Sink) {
			k.Await(w.t, "online", func() bool { return k.Reached == transports.Online })
		}},
		"asking for an address": {nil, func(w *world) { w.server.Break("apps.connections.open", 0, fake.Hang()) }, hanging},
		"dialing":               {nil, func(w *world) { w.server.Break("socket", 0, fake.Hang()) }, hanging},
		"waiting to retry": {slow, func(w *world) { w.server.Break("apps.connections.open", 0, fake.ServerError(503)) }, func(w *world, _ *client, k *recorder.Sink) {
			k.Await(w.t, "a cause", func() bool { return k.Reached == transports.Connecting && k.Cause != nil })
		}},
		"told to wait": {slow, func(w *world) { w.server.Break("apps.connections.open", 0, fake.RateLimited(time.Hour)) }, func(w *world, _ *client, k *recorder.Sink) {
			k.Await(w.t, "a cause", func() bool { return k.Reached == transports.Connecting && k.Cause != nil })
		}},
		"taking an event": {nil, func(w *world) { w.server.Break("conversations.info", 0, fake.Hang()) }, func(w *world, s *client, k *recorder.Sink) {
			k.Await(w.t, "online", func() bool { return k.Reached == transports.Online })
			w.ben.Say(w.general, "x")
			hanging(w, s, k)
		}},
		"asking for presence": {func(o *Options) { o.Presence = time.Millisecond }, func(w *world) { w.server.Break("users.getPresence", 0, fake.Hang()) }, watching},
		"waiting to ask again": {func(o *Options) { o.Presence = time.Millisecond }, func(w *world) { w.server.Break("users.getPresence", 0, fake.RateLimited(time.Hour)) }, func(w *world, s *client, _ *recorder.Sink) {
			_ = s.Watch(w.t.Context(), []transports.UserID{userID(w.acme.ID, w.ben.ID)})
			w.server.Await(deadline(w.t), func() bool { return w.server.Calls("users.getPresence") > 0 })
		}},
		"linked no longer": {nil, func(w *world) { w.server.Revoke(w.app.Token) }, func(w *world, _ *client, k *recorder.Sink) {
			k.Await(w.t, "needs login", func() bool { return k.Reached == transports.NeedsLogin })
		}},
		"network away": {nil, func(*world) {}, func(w *world, _ *client, k *recorder.Sink) {
			w.server.Outage()
			k.Await(w.t, "connecting", func() bool { return k.Reached == transports.Connecting })
		}},
	} {
		t.Run(name, func(t *testing.T) {
			var change []func(*Options)
			if c.options != nil {
				change = append(change, c.options)
			}
			w := newWorld(t, change...)
			login := w.link(w.userTok)
			c.before(w)
			k := recorder.New()
			s, err := w.net.Open(t.Context(), login, k)
			if err != nil {
				t.Fatal(err)
			}
			w.t = t
			c.reached(w, s.(*client), k)
			began := time.Now()
			if err := s.Close(context.Background()); err != nil {
				t.Error(err)
			}
			if took := time.Since(began); took > time.Second {
				t.Errorf("closed after %v", took)
			}
			if err := s.Close(context.Background()); err != nil {
				t.Errorf("a second time: %v", err)
			}
			w.net.mu.Lock()
			defer w.net.mu.Unlock()
			if n := len(w.net.apps); n != 0 {
				t.Errorf("%d sockets are left", n)
			}
		})
	}
}

// hanging waits until the fake server holds a call.
func hanging(w *world, _ *client, _ *recorder.Sink) {
	if !w.server.Await(deadline(w.t), func() bool { return w.server.Pending() > 0 }) {
		w.t.Error("nothing hangs")
	}
}

func watching(w *world, s *client, k *recorder.Sink) {
	if err := s.Watch(w.t.Context(), []transports.UserID{userID(w.acme.ID, w.ben.ID)}); err != nil {
		w.t.Error(err)
	}
	hanging(w, s, k)
}

// A login that is opened while the last one of its app is closed has a socket all the same.
func TestAccountsThatComeAndGo(t *testing.T) {
	w := newWorld(t)
	login := w.link(w.userTok)
	last, _ := w.open(login)
	for range 20 {
		k := recorder.New()
		closed := make(chan error, 1)
		go func(s *client) { closed <- s.Close(context.Background()) }(last)
		s, err := w.net.Open(t.Context(), login, k)
		if err != nil {
			t.Fatal(err)
		}
		if err := <-closed; err != nil {
			t.Error(err)
		}
		k.Await(t, "online", func() bool { return k.Reached == transports.Online })
		w.net.mu.Lock()
		same := w.net.apps[w.app.Token] == s.(*client).app
		w.net.mu.Unlock()
		if !same {
			t.Error("the account's socket is not the app's")
		}
		last = s.(*client)
	}
	if err := last.Close(context.Background()); err != nil {
		t.Error(err)
	}
}

// The bridge takes a client that has reported nothing for one that is connected, and would read the history too early.
func TestConnectingIsReportedBeforeOpenReturns(t *testing.T) {
	w := newWorld(t)
	k := recorder.New()
	s, err := w.net.Open(t.Context(), w.link(w.userTok), k)
	k.Lock()
	reported := k.States
	k.Unlock()
	if err != nil || reported == 0 {
		t.Fatalf("%d states told: %v", reported, err)
	}
	if err := s.Close(context.Background()); err != nil {
		t.Error(err)
	}
}
