package demo

import (
	"context"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"
)

// How much the simulated users write, and how fast.
const (
	answersPerSecond = 2  // at most, by all users of a network together
	answersAtOnce    = 6  // burst of that limit
	maxQueued        = 64 // messages that wait for an answer; further ones get none
	thinkTime        = 600 * time.Millisecond
	typeTime         = 900 * time.Millisecond
	correctTime      = time.Second
	lineInterval     = 3 * time.Second
	dialogueInterval = 45 * time.Second // minimum; the maximum is twice that
	quickFactor      = 20               // all pauses are divided by it with --quick
)

// responder makes the users of one network answer messages and write to each other. One goroutine takes
// the messages that come in; each answer, and the dialogues, have one of their own. wait returns when
// all have ended.
type responder struct {
	network   *network
	dialogues [][]scriptLine
	queue     chan incoming
	limiter   *rate.Limiter
	speed     time.Duration // a factor: pauses are divided by it
	answers   atomic.Int64  // number of answers so far; it selects who answers in a channel, and with what
	ctx       context.Context
	group     sync.WaitGroup
}

func newResponder(n *network, quick bool) *responder {
	r := &responder{network: n, dialogues: slackDialogues, queue: make(chan incoming, maxQueued), limiter: rate.NewLimiter(answersPerSecond, answersAtOnce), speed: 1}
	if n.kind == "discord" {
		r.dialogues = discordDialogues
	}
	if quick {
		r.speed = quickFactor
	}
	return r
}

// start answers messages until ctx ends.
func (r *responder) start(ctx context.Context) {
	r.ctx = ctx
	r.network.observer.onMessage(func(m incoming) {
		select {
		case r.queue <- m:
		default:
		}
	})
	r.group.Go(func() {
		for {
			select {
			case <-ctx.Done():
				return
			case m := <-r.queue:
				r.respond(m)
			}
		}
	})
}

func (r *responder) wait() { r.group.Wait() }

// pause waits for d, divided by the speed. It returns false if the responder's context has ended.
func (r *responder) pause(d time.Duration) bool {
	timer := time.NewTimer(d / r.speed)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-r.ctx.Done():
		return false
	}
}

// respond has a user answer a message, unless the users have written much in the last seconds.
func (r *responder) respond(m incoming) {
	if strings.TrimSpace(m.text) == "" || !r.limiter.Allow() {
		return
	}
	number := int(r.answers.Add(1) - 1)
	u := r.chooseUser(m, number)
	r.group.Go(func() {
		if !r.pause(thinkTime) {
			return
		}
		do := r.network.actions
		if !m.conversation.direct {
			// The message may have been deleted meanwhile; then there is nothing to react to.
			_ = do.react(u, m.messageRef, u.reaction)
		}
		do.typing(u, m.conversation)
		if !r.pause(typeTime) {
			return
		}
		text := u.answer(number/len(r.network.users), m.author, m.text)
		if !u.makesTypos {
			_, _ = do.send(u, m.conversation, text) // the channel may be deleted
			return
		}
		ref, err := do.send(u, m.conversation, withTypo(text))
		if err == nil && r.pause(correctTime) {
			_ = do.edit(u, ref, text) // as above
		}
	})
}

// chooseUser returns the user who answers: in a direct conversation the other user; in a channel the user whose
// handle is in the message, else the users take turns.
func (r *responder) chooseUser(m incoming, number int) *user {
	if m.to != nil {
		return m.to
	}
	text := strings.ToLower(m.text)
	for _, u := range r.network.users {
		if strings.Contains(text, u.handle) {
			return u
		}
	}
	return r.network.users[number%len(r.network.users)]
}

// startDialogues has the users write to each other, and to the tour's login, every minute or so.
func (r *responder) startDialogues() {
	users, do := r.network.users, r.network.actions
	r.group.Go(func() {
		for i := rand.IntN(len(r.dialogues)); r.pause(dialogueInterval + rand.N(dialogueInterval)); i++ {
			if i%4 == 3 {
				u := users[i/4%len(users)]
				_, _ = do.send(u, r.network.names.direct(u), greetings[i/4%len(greetings)])
				continue
			}
			for _, l := range r.dialogues[i%len(r.dialogues)] {
				if !r.pause(lineInterval) {
					return
				}
				_, _ = do.send(users[l.user], r.network.channels[l.channel], l.text)
			}
		}
	})
}
