package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
)

// How long the tour waits for anything to come, and between its steps for people to read.
const (
	tourPatience = 20 * time.Second
	tourReading  = 1500 * time.Millisecond
	quickReading = 0
	pollEvery    = 100 * time.Millisecond
)

// tour is a guided walk: a client does what a person would do, and looks at both ends that it was done.
type tour struct {
	ctx     context.Context // of the whole tour
	house   *demoHouse
	client  *demoClient
	out     *screen
	reading time.Duration
	chapter int
}

// takeTour takes the tour and tells why it did not get to its end. A demo that is stopped meanwhile
// is no failure.
func takeTour(ctx context.Context, h *demoHouse, towns []town, out *screen) error {
	t := &tour{ctx: ctx, house: h, out: out, reading: tourReading}
	if h.options.quick {
		t.reading = quickReading
	}
	err := t.walk(towns)
	if t.client != nil {
		t.client.close()
	}
	if ctx.Err() != nil {
		return nil
	}
	if err != nil {
		out.line(span{"  ✗ ", red, 4}, span{text: err.Error()})
		return fmt.Errorf("the tour came to its end too early: %w", err)
	}
	return nil
}

func (t *tour) walk(towns []town) error {
	if err := t.logIn(); err != nil {
		return err
	}
	for _, w := range towns {
		for _, act := range []func(town) error{t.link, t.meet, t.write, t.join} {
			if err := act(w); err != nil {
				return fmt.Errorf("%s: %w", w.name(), err)
			}
		}
	}
	t.begin("Log out")
	err := t.client.send(t.ctx, shown{Type: "unavailable"})
	if err == nil {
		t.done("the tour is over, and all of it worked")
	}
	return err
}

// begin prints the heading of a chapter.
func (t *tour) begin(format string, args ...any) {
	if t.chapter > 0 {
		t.rest()
	}
	t.chapter++
	t.out.heading(fmt.Sprintf("%d. ", t.chapter) + fmt.Sprintf(format, args...))
}

// rest gives people time to read.
func (t *tour) rest() {
	select {
	case <-time.After(t.reading):
	case <-t.ctx.Done():
	}
}

// nameColumns is the width of who speaks.
const nameColumns = 26

// speech prints what somebody says.
func (t *tour) speech(who, text string) {
	for _, part := range wrap(text, t.out.columns-nameColumns-2) {
		t.out.line(span{"  ", plain, 2}, span{who, bold, nameColumns}, span{text: part})
		who = ""
	}
}

// done prints what has been achieved.
func (t *tour) done(format string, args ...any) {
	mark := "  ✓ "
	for _, line := range wrap(fmt.Sprintf(format, args...), t.out.columns-4) {
		t.out.line(span{mark, green, 4}, span{text: line})
		mark = ""
	}
}

// patient is the context for one thing that is to come.
func (t *tour) patient() (context.Context, context.CancelFunc) {
	return context.WithTimeout(t.ctx, tourPatience)
}

// await waits for a stanza beyond the first ones; what says what is awaited.
func (t *tour) await(after int, what string, fits func(*received) bool) (*received, error) {
	ctx, cancel := t.patient()
	defer cancel()
	r, _, err := t.client.await(ctx, after, fits)
	if errors.Is(err, errNothing) {
		err = fmt.Errorf("%s did not come within %s", what, tourPatience)
	}
	return r, err
}

// until tries something until it works.
func (t *tour) until(what string, try func(context.Context) error) error {
	ctx, cancel := t.patient()
	defer cancel()
	for {
		err := try(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-time.After(pollEvery):
		case <-ctx.Done():
			return fmt.Errorf("%s: %w", what, err)
		}
	}
}

// shows waits until a place of the network shows what it should.
func (t *tour) shows(w town, where place, what string, ok func([]string) bool) error {
	ctx, cancel := t.patient()
	defer cancel()
	var last []string
	if !w.await(ctx, where, func(lines []string) bool { last = lines; return ok(lines) }) {
		return fmt.Errorf("%s does not show %s within %s; it shows %q", where.name, what, tourPatience, last)
	}
	return nil
}

// said sends a message.
func (t *tour) send(m said) error {
	if err := t.client.send(t.ctx, m); err != nil {
		return fmt.Errorf("send a message: %w", err)
	}
	return nil
}

// shown waits until the network shows a text of the tour's, and prints how.
func (t *tour) arrives(w town, where place, text string) error {
	found := ""
	err := t.shows(w, where, quoted(text), func(lines []string) bool {
		for _, l := range lines {
			if strings.HasSuffix(l, ": "+text) {
				found = l
			}
		}
		return found != ""
	})
	if err == nil {
		t.done("%s shows in %s: %s", w.name(), where.name, found)
	}
	return err
}

// goes waits until the network does not show a text any longer.
func (t *tour) goes(w town, where place, text string) error {
	return t.shows(w, where, "a place without "+quoted(text), func(lines []string) bool {
		for _, l := range lines {
			if strings.HasSuffix(l, ": "+text) {
				return false
			}
		}
		return true
	})
}

// refusal is the error that a stanza carries.
func refusal(r *received) error {
	if r.Error == nil {
		return errors.New("an error without a reason")
	}
	for _, text := range r.Error.Text {
		if text != "" {
			return fmt.Errorf("%s (%s)", text, r.Error.Condition)
		}
	}
	return errors.New(string(r.Error.Condition))
}
