package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"
)

// lastJoins is the number of sessions whose entering is measured: the last ones.
const lastJoins = 20

// fillWait is how long a room may take until all have entered it, and have got everything that this brings.
const fillWait = 30 * time.Minute

// settled is the question whose answer comes after everything that the room has sent before.
const settled = "id='settled'"

// fill lets all sessions enter the room, and returns what the last ones cost. The sessions in the room read
// while others enter: a server does not hold back without limit what a client does not read.
func (l roomLoad) fill(t target, clients []*client) (figures, error) {
	var joins usage          // before the last ones
	var asking time.Duration // of settle itself
	last := min(len(clients)-1, lastJoins)
	reading := make([]chan error, 0, len(clients))
	for i, c := range clients {
		if i == len(clients)-last {
			before, err := l.settleAndRead(t, clients, reading)
			if err != nil {
				return nil, err
			}
			if joins, err = l.settleAndRead(t, clients, reading); err != nil {
				return nil, err
			}
			asking = joins.cpu - before.cpu
		}
		if err := l.enter(c, i); err != nil {
			return nil, fmt.Errorf("session %d: %w", i, err)
		}
		if i == 0 && l.create {
			if err := l.configure(c); err != nil {
				return nil, err
			}
		}
		reading = append(reading, readAside(c))
	}
	if err := l.settle(clients, reading); err != nil {
		return nil, err
	}
	all, err := measure(t.pids)
	if err != nil || all.cpu == 0 || last == 0 {
		return nil, err
	}
	return figures{{"join of the full room", "ms of CPU", float64((all.cpu - joins.cpu - asking).Microseconds()) / 1000 / float64(last)}}, nil
}

// settleAndRead is settle for sessions that go on reading. It returns what the server has used so far.
func (l roomLoad) settleAndRead(t target, clients []*client, reading []chan error) (usage, error) {
	if err := l.settle(clients, reading); err != nil {
		return usage{}, err
	}
	for i := range reading {
		reading[i] = readAside(clients[i])
	}
	return measure(t.pids)
}

// settle returns when the sessions that read have got all that the room has sent to them so far.
func (l roomLoad) settle(clients []*client, reading []chan error) error {
	for i := range reading {
		if err := clients[i].write("<iq type='get' " + settled + " to='" + l.room + "'><query xmlns='http://jabber.org/protocol/disco#info'/></iq>"); err != nil {
			return err
		}
	}
	var errs []error
	for _, r := range reading {
		errs = append(errs, <-r)
	}
	return errors.Join(errs...)
}

// readAside reads and drops what a session gets until the answer to settle; the error, or nil, is sent then.
func readAside(c *client) chan error {
	done := make(chan error, 1)
	go func() { done <- c.drop(time.Now().Add(fillWait), settled, "id=\"settled\"") }()
	return done
}

// drop reads until one of the endings, which have the same length, has arrived, and keeps nothing of what came before.
func (c *client) drop(deadline time.Time, endings ...string) error {
	for {
		for _, e := range endings {
			if at := bytes.Index(c.buf, []byte(e)); at >= 0 {
				c.buf = c.buf[at+len(e):]
				return nil
			}
		}
		if keep := len(endings[0]) - 1; len(c.buf) > keep {
			c.buf = c.buf[len(c.buf)-keep:]
		}
		if err := c.fill(deadline); err != nil {
			return fmt.Errorf("waiting for %q: %w", endings, err)
		}
	}
}

// toLast measures how long a message takes until the last session has it, and, with --bare, what the bare program does with the same bytes.
func (l roomLoad) toLast(ctx context.Context, t target, clients []*client) (figures, error) {
	sample, err := l.sample(clients)
	if err != nil {
		return nil, err
	}
	before, after, latencies, err := toAll(clients, t.pids, l.head()+messageEnd, bodyMark, l.last)
	if err != nil {
		return nil, err
	}
	f := append(perUnit(before, after, int64(l.last*len(clients))), quantiles(latencies)...)
	if !l.bare {
		return f, nil
	}
	closeAll(clients) // their numbers are few
	bare, err := bareCost(ctx, "bare", sample, bareLoad{len(clients), l.last})
	return append(f, bare...), err
}

// sample returns a message as the receivers get it.
func (l roomLoad) sample(clients []*client) (string, error) {
	if err := clients[0].write(l.head() + messageEnd); err != nil {
		return "", err
	}
	errs := make([]error, len(clients))
	var sample string
	var wg sync.WaitGroup
	for i, c := range clients {
		wg.Go(func() {
			var text string
			if text, errs[i] = c.until(endOfMessage); i == 0 {
				sample = text
			}
		})
	}
	wg.Wait()
	return sample[max(0, strings.LastIndex(sample, "<message")):], errors.Join(errs...)
}
