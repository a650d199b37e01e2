package discord

import (
	"context"
	"testing"
	"time"

	"github.com/dragoman-im/dragoman/transports"
	"github.com/dragoman-im/dragoman/transports/discord/fake"
	"github.com/dragoman-im/dragoman/transports/recorder"
)

// A session ends within a second whatever it is at; TestMain sees to its goroutines.
func TestCloseInAnyState(t *testing.T) {
	const address = "GET /gateway/bot"
	online := func(w *world, k *recorder.Sink) {
		k.Await(w.t, "online", func() bool { return k.Reached == transports.Online })
	}
	retrying := func(w *world, k *recorder.Sink) {
		k.Await(w.t, "a cause", func() bool { return k.Reached == transports.Connecting && k.Cause != nil })
	}
	for name, c := range map[string]struct {
		before  func(w *world) *fake.Injection
		reached func(w *world, k *recorder.Sink)
	}{
		"online":                {nil, online},
		"asking for an address": {func(w *world) *fake.Injection { return w.Inject(address, -1, fake.Hang()) }, nil},
		"waiting to retry":      {func(w *world) *fake.Injection { return w.Inject(address, -1, fake.Broken(503)) }, retrying},
		"told to wait":          {func(w *world) *fake.Injection { return w.Inject(address, -1, fake.RateLimit(time.Hour)) }, retrying},
		"network away, its address free": {nil, func(w *world, k *recorder.Sink) {
			online(w, k)
			w.Outage(fake.Refused)
			retrying(w, k)
		}},
		"network away": {nil, func(w *world, k *recorder.Sink) {
			online(w, k)
			w.Outage(fake.Dropped)
			retrying(w, k)
		}},
		"heartbeats not answered": {nil, func(w *world, k *recorder.Sink) {
			online(w, k)
			w.Lag(-1)
			retrying(w, k)
		}},
		"to be resumed": {nil, func(w *world, k *recorder.Sink) {
			online(w, k)
			w.bot.Invalidate(true) // one to five seconds are waited after that
			retrying(w, k)
		}},
		"taking an event": {func(w *world) *fake.Injection { return w.Inject("GET /channels/{channel_id}", -1, fake.Hang()) }, func(w *world, k *recorder.Sink) {
			online(w, k)
			w.say(w.DM(w.ann, w.bot.ID()), w.ann, "a channel that is asked for")
		}},
		"linked no longer": {nil, func(w *world, k *recorder.Sink) {
			online(w, k)
			w.bot.ResetToken()
			k.Await(w.t, "needs login", func() bool { return k.Reached == transports.NeedsLogin })
		}},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			login := w.link()
			var order *fake.Injection
			if c.before != nil {
				order = c.before(w)
			}
			k := recorder.New()
			s, err := w.net.Open(t.Context(), login, k)
			if err != nil {
				t.Fatal(err)
			}
			if c.reached != nil {
				c.reached(w, k)
			}
			if order != nil {
				ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
				defer cancel()
				w.must(order.Wait(ctx, 1))
			}
			began := time.Now()
			w.must(s.Close(context.Background()))
			if took := time.Since(began); took > time.Second {
				t.Errorf("closed after %v", took)
			}
			w.must(s.Close(context.Background()))
		})
	}
}

// The bridge takes a client that has reported nothing for one that is connected, and would read the history too early.
func TestConnectingIsReportedBeforeOpenReturns(t *testing.T) {
	w := newWorld(t)
	k := recorder.New()
	s, err := w.net.Open(t.Context(), w.link(), k)
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
