package main

import (
	"bytes"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
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
	var joins usage // before the last ones
	last := min(len(clients)-1, lastJoins)
	reading := make([]chan error, 0, len(clients))
	for i, c := range clients {
		if i == len(clients)-last {
			var err error
			if err = l.settle(clients, reading); err == nil {
				joins, err = measure(t.pids)
			}
			if err != nil {
				return nil, err
			}
			for k := range reading {
				reading[k] = readAside(clients[k])
			}
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
	return figures{{"join of the full room", "ms of CPU", float64((all.cpu - joins.cpu).Microseconds()) / 1000 / float64(last)}}, nil
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

// toLast measures how long a message takes until the last session has it.
func (l roomLoad) toLast(t target, clients []*client) (figures, error) {
	var arrived atomic.Int64
	all := make(chan struct{}, 1)
	deadline := time.Now().Add(fillWait)
	errs := make([]error, len(clients))
	var wg sync.WaitGroup
	for i, c := range clients {
		wg.Go(func() {
			n := 0
			errs[i] = c.count(deadline, bodyMark, func([]byte) bool {
				if n++; arrived.Add(1)%int64(len(clients)) == 0 {
					all <- struct{}{}
				}
				return n == l.last
			})
		})
	}
	before, err := measure(t.pids)
	var latencies []time.Duration
	for range l.last {
		if err != nil {
			break
		}
		begin := time.Now()
		if err = clients[0].write(l.head() + messageEnd); err != nil {
			break
		}
		select {
		case <-all:
			latencies = append(latencies, time.Since(begin))
		case <-time.After(stepTimeout):
			err = fmt.Errorf("a message has reached %d of %d", arrived.Load()%int64(len(clients)), len(clients))
		}
	}
	if err != nil {
		closeAll(clients) // ends the readers
		wg.Wait()
		return nil, errors.Join(append([]error{err}, errs[0])...)
	}
	wg.Wait()
	after, err := measure(t.pids)
	if err := errors.Join(append(errs, err)...); err != nil {
		return nil, err
	}
	return append(perUnit(before, after, int64(l.last*len(clients))), quantiles(latencies)...), nil
}
