package demo

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
)

// How long the tour waits for anything to come, and between its steps for people to read.
const (
	stepTimeout  = 20 * time.Second
	readingTime  = 1500 * time.Millisecond
	quickReading = 0
	pollEvery    = 100 * time.Millisecond
)

// tour is a client that does what a person would do, and checks the result on the XMPP side and in the network.
type tour struct {
	ctx     context.Context // of the whole tour
	server  *localServer
	client  *client
	out     *screen
	reading time.Duration
	step    int
}

// runTour takes the tour and returns why it failed. A demo that is stopped meanwhile is no failure.
func runTour(ctx context.Context, s *localServer, networks []*network, out *screen) error {
	t := &tour{ctx: ctx, server: s, out: out, reading: readingTime}
	if s.options.quick {
		t.reading = quickReading
	}
	out.heading("A tour with a built-in client")
	out.paragraph("Lines with an arrow are the steps of one message: → out is from XMPP to the network, ← in is from the network to XMPP. The numbers are those of transports/doc.go.")
	err := t.runSteps(networks)
	if t.client != nil {
		t.client.close()
	}
	if ctx.Err() != nil {
		return nil
	}
	if err != nil {
		out.line(span{"  ✗ ", red, 4}, span{text: err.Error()})
		return fmt.Errorf("the tour failed: %w", err)
	}
	return nil
}

func (t *tour) runSteps(networks []*network) error {
	if err := t.logIn(); err != nil {
		return err
	}
	for _, n := range networks {
		for _, step := range []func(*network) error{t.link, t.awaitContacts, t.chat, t.useChannel} {
			if err := step(n); err != nil {
				return fmt.Errorf("%s: %w", n.name, err)
			}
		}
	}
	t.startStep("Log out")
	err := t.client.send(t.ctx, outPresence{Type: "unavailable"})
	if err == nil {
		t.confirm("the tour is over; everything worked")
	}
	return err
}

// startStep prints the heading of a step.
func (t *tour) startStep(format string, args ...any) {
	if t.step > 0 {
		t.pause()
	}
	t.step++
	t.out.heading(fmt.Sprintf("%d. ", t.step) + fmt.Sprintf(format, args...))
}

// pause gives people time to read.
func (t *tour) pause() {
	select {
	case <-time.After(t.reading):
	case <-t.ctx.Done():
	}
}

// nameColumns is the width of the author of a message, and of the name of a value.
const nameColumns = 26

// printMessage prints a message and its author.
func (t *tour) printMessage(who, text string) {
	for _, part := range wrap(text, t.out.columns-nameColumns-2) {
		t.out.line(span{"  ", plain, 2}, span{who, bold, nameColumns}, span{text: part})
		who = ""
	}
}

// confirm prints the result of a check.
func (t *tour) confirm(format string, args ...any) {
	mark := "  ✓ "
	for _, line := range wrap(fmt.Sprintf(format, args...), t.out.columns-4) {
		t.out.line(span{mark, green, 4}, span{text: line})
		mark = ""
	}
}

// withTimeout is the context of one step.
func (t *tour) withTimeout() (context.Context, context.CancelFunc) {
	return context.WithTimeout(t.ctx, stepTimeout)
}

// await waits for a stanza beyond the first ones; what names it in the error.
func (t *tour) await(after int, what string, fits func(*received) bool) (*received, error) {
	ctx, cancel := t.withTimeout()
	defer cancel()
	r, _, err := t.client.await(ctx, after, fits)
	if errors.Is(err, errTimeout) {
		err = fmt.Errorf("%s did not come within %s", what, stepTimeout)
	}
	return r, err
}

// retry tries something until it works; problem is the error's text when it does not.
func (t *tour) retry(problem string, try func(context.Context) error) error {
	ctx, cancel := t.withTimeout()
	defer cancel()
	for {
		err := try(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-time.After(pollEvery):
		case <-ctx.Done():
			return fmt.Errorf("%s: %w", problem, err)
		}
	}
}

// awaitTranscript waits until the messages of a conversation satisfy ok; what names them in the error.
func (t *tour) awaitTranscript(n *network, in conversation, what string, ok func([]string) bool) error {
	ctx, cancel := t.withTimeout()
	defer cancel()
	var last []string
	if !n.observer.awaitTranscript(ctx, in, func(lines []string) bool { last = lines; return ok(lines) }) {
		return fmt.Errorf("%s does not show %s within %s; it shows %q", in.name, what, stepTimeout, last)
	}
	return nil
}

// send sends a message.
func (t *tour) send(m outMessage) error {
	if err := t.client.send(t.ctx, m); err != nil {
		return fmt.Errorf("send a message: %w", err)
	}
	return nil
}

// awaitShown waits until the network shows a text of the tour's, and prints how.
func (t *tour) awaitShown(n *network, in conversation, text string) error {
	found := ""
	err := t.awaitTranscript(n, in, quoted(text), func(lines []string) bool {
		for _, l := range lines {
			if strings.HasSuffix(l, ": "+text) {
				found = l
			}
		}
		return found != ""
	})
	if err == nil {
		t.confirm("%s shows in %s: %s", n.name, in.name, found)
	}
	return err
}

// awaitGone waits until the network does not show a text any longer.
func (t *tour) awaitGone(n *network, in conversation, text string) error {
	return t.awaitTranscript(n, in, "messages without "+quoted(text), func(lines []string) bool {
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
