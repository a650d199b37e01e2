package main

import (
	"context"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"time"
	"unicode"

	"golang.org/x/time/rate"
)

// How lively the people of a town are.
const (
	answersPerSecond = 2  // of all of them together
	answersAtOnce    = 6  // when nobody has said anything for a while
	hearsAtOnce      = 64 // more that is said meanwhile is not heard
	thinkTime        = 600 * time.Millisecond
	typeTime         = 900 * time.Millisecond
	correctTime      = time.Second
	lineTime         = 3 * time.Second
	sceneTime        = 45 * time.Second // and up to as much again
	quickly          = 20               // by how much the quick tour is faster
)

// cast makes the people of one town answer, and talk among themselves. One goroutine hears; each
// answer, and the chat, has its own until it is said. wait returns when all have ended.
type cast struct {
	town   town
	scenes [][]line
	hears  chan heard
	pace   *rate.Limiter
	faster time.Duration
	turn   atomic.Int64 // whose turn it is in a channel, and what to say
	ctx    context.Context
	group  sync.WaitGroup
}

func newCast(t town, quick bool) *cast {
	c := &cast{town: t, scenes: slackScenes, hears: make(chan heard, hearsAtOnce), pace: rate.NewLimiter(answersPerSecond, answersAtOnce), faster: 1}
	if t.kind() == "discord" {
		c.scenes = discordScenes
	}
	if quick {
		c.faster = quickly
	}
	return c
}

// start has the people listen until ctx ends.
func (c *cast) start(ctx context.Context) {
	c.ctx = ctx
	c.town.listen(func(h heard) {
		select {
		case c.hears <- h:
		default:
		}
	})
	c.group.Go(func() {
		for {
			select {
			case <-ctx.Done():
				return
			case h := <-c.hears:
				c.answer(h)
			}
		}
	})
}

func (c *cast) wait() { c.group.Wait() }

// pause waits, and tells whether to go on.
func (c *cast) pause(d time.Duration) bool {
	timer := time.NewTimer(d / c.faster)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-c.ctx.Done():
		return false
	}
}

// answer has one of the people answer, unless they have said much in the last seconds.
func (c *cast) answer(h heard) {
	if strings.TrimSpace(h.text) == "" || !c.pace.Allow() {
		return
	}
	turn := int(c.turn.Add(1) - 1)
	p := c.addressee(h, turn)
	c.group.Go(func() {
		if !c.pause(thinkTime) {
			return
		}
		if !h.place.direct {
			// The message may have been taken back meanwhile; then there is nothing to react to.
			_ = c.town.react(p, h.note, p.picture)
		}
		c.town.typing(p, h.place)
		if !c.pause(typeTime) {
			return
		}
		text := p.answer(turn/len(c.town.people()), h.by, h.text)
		if !p.corrects {
			_, _ = c.town.say(p, h.place, text) // the place may be gone: then nobody speaks
			return
		}
		n, err := c.town.say(p, h.place, mistyped(text))
		if err == nil && c.pause(correctTime) {
			_ = c.town.edit(p, n, text) // as above
		}
	})
}

// addressee is who answers: the other one in a conversation, who is named in a channel, else whose
// turn it is.
func (c *cast) addressee(h heard, turn int) *person {
	if h.to != nil {
		return h.to
	}
	people := c.town.people()
	said := strings.ToLower(h.text)
	for _, p := range people {
		if strings.Contains(said, p.handle) {
			return p
		}
	}
	return people[turn%len(people)]
}

// chat has the people talk from now on, every minute or so.
func (c *cast) chat() {
	c.group.Go(func() {
		for i := rand.IntN(len(c.scenes)); c.pause(sceneTime + rand.N(sceneTime)); i++ {
			if i%4 == 3 {
				p := c.town.people()[i/4%len(c.town.people())]
				_, _ = c.town.say(p, c.town.direct(p), greetings[i/4%len(greetings)]) // or nobody speaks
				continue
			}
			for _, l := range c.scenes[i%len(c.scenes)] {
				if !c.pause(lineTime) {
					return
				}
				_, _ = c.town.say(c.town.people()[l.who], c.town.places()[l.where], l.text) // as above
			}
		}
	})
}

func letter(r rune) bool { return unicode.IsLetter(r) || r == '\'' }
