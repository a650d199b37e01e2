package scenario

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/dragoman-im/dragoman/integration/xmltree"
)

type connects struct{ names []string }

func (s connects) run(ctx context.Context, r *execution) error {
	for _, name := range s.names {
		if r.connections[name] != nil {
			return fmt.Errorf("%s is connected already", name)
		}
		a, err := r.target.Connect(ctx, r.participants[name])
		if err != nil {
			return err
		}
		r.register(name, a)
	}
	return nil
}

// resumes connects to a session that the client had before (XEP-0198).
type resumes struct {
	name, id string
	received uint32
}

func (s resumes) run(ctx context.Context, r *execution) error {
	id, err := r.vars.Expand(s.id, false)
	if err != nil {
		return err
	}
	jid := r.vars[s.name]
	participant := r.participants[s.name]
	participant.Session, participant.Received = id, s.received
	a, err := r.target.Connect(ctx, participant)
	if err != nil {
		return err
	}
	r.register(s.name, a)
	bare, resource, _ := strings.Cut(jid, "/")
	r.vars[s.name], r.vars[s.name+".bare"], r.vars[s.name+".resource"] = jid, bare, resource
	return nil
}

// opens connects and does not log in: the scenario does that itself.
type opens struct{ name string }

func (s opens) run(ctx context.Context, r *execution) error {
	if r.connections[s.name] != nil {
		return fmt.Errorf("%s is connected already", s.name)
	}
	if r.target.Open == nil {
		return errors.New("this test cannot open streams")
	}
	participant := r.participants[s.name]
	a, err := r.target.Open(ctx, participant)
	if err != nil {
		return err
	}
	r.connections[s.name] = a
	r.vars[s.name+".bare"], _, _ = strings.Cut(participant.JID, "/")
	return nil
}

// negotiator is the connection of a participant whose login is part of the scenario.
func (r *execution) negotiator(name string) (Negotiator, error) {
	a, err := r.connection(name)
	if err != nil {
		return nil, err
	}
	n, ok := a.(Negotiator)
	if !ok {
		return nil, fmt.Errorf("%s has not opened a stream", name)
	}
	return n, nil
}

// authenticates is a login with SASL2. token names the token that stands for the password; empty: none.
type authenticates struct{ name, mechanism, token, children string }

func (s authenticates) run(ctx context.Context, r *execution) error {
	a, err := r.negotiator(s.name)
	if err != nil {
		return err
	}
	secret := r.participants[s.name].Secret
	if s.token != "" {
		if secret, err = r.vars.Expand(s.token, false); err != nil {
			return err
		}
	}
	children, err := r.vars.Expand(s.children, true)
	if err != nil {
		return err
	}
	if err := a.Authenticate(ctx, s.mechanism, secret, children); err != nil {
		return err
	}
	r.logged(s.name)
	return nil
}

// logged makes the address known that a login has bound, if it has bound one.
func (r *execution) logged(name string) {
	if a := r.connections[name]; strings.Contains(a.JID(), "/") && !slices.Contains(r.order, name) {
		r.register(name, a)
	}
}

type upgrades struct{ name, task string }

func (s upgrades) run(ctx context.Context, r *execution) error {
	a, err := r.negotiator(s.name)
	if err != nil {
		return err
	}
	if err := a.Upgrade(ctx, s.task, r.participants[s.name].Secret); err != nil {
		return err
	}
	r.logged(s.name)
	return nil
}

type cannotConnect struct{ name, condition string }

func (s cannotConnect) run(ctx context.Context, r *execution) error {
	a, err := r.target.Connect(ctx, r.participants[s.name])
	if err == nil {
		a.Lose()
		return fmt.Errorf("%s was able to connect", s.name)
	}
	return r.condition(err, s.condition)
}

// condition checks that err has the stream or stanza error condition.
func (r *execution) condition(err error, want string) error {
	got := ""
	if r.target.Condition != nil {
		got = r.target.Condition(err)
	}
	if !slices.Contains(strings.Split(want, " or "), got) {
		return fmt.Errorf("condition is %q (%v), want %q", got, err, want)
	}
	return nil
}

type sends struct {
	name, text string
	escaped    bool
}

func (s sends) run(_ context.Context, r *execution) error {
	a, err := r.connection(s.name)
	if err != nil {
		return err
	}
	text, err := r.vars.Expand(s.text, s.escaped)
	if err != nil {
		return err
	}
	return a.Send(text)
}

type receives struct {
	name string
	row  []*xmltree.Element
}

func (s receives) run(ctx context.Context, r *execution) error {
	ctx, cancel := context.WithTimeout(ctx, r.target.Timeout)
	defer cancel()
	for _, want := range s.row {
		got, err := r.next(ctx, s.name)
		if err != nil {
			return fmt.Errorf("%w, want\n%s", err, want)
		}
		if err := r.match(s.name, want, got); err != nil {
			return fmt.Errorf("%w\nreceived\n%s\nwant\n%s", err, got, want)
		}
	}
	return nil
}

type receivesUnordered struct {
	name string
	row  []*xmltree.Element
}

func (s receivesUnordered) run(ctx context.Context, r *execution) error {
	received, err := s.collect(ctx, r)
	if err != nil {
		return fmt.Errorf("%w after %d of %d, received\n%swant\n%s", err, len(received), len(s.row), describe(received), describe(s.row))
	}
	var children, want, clean []*xmltree.Element
	for _, w := range s.row {
		want = append(want, r.prepared(s.name, w))
		children = append(children, w.Children...)
	}
	for _, e := range received {
		clean = append(clean, r.stripped(s.name, children, e))
	}
	if err := xmltree.MatchUnordered(want, clean, r.vars); err != nil {
		return fmt.Errorf("%w\nreceived\n%swant\n%s", err, describe(received), describe(s.row))
	}
	return nil
}

// collect takes as many stanzas as are expected. If some are optional it takes all that arrive
// until settle returns.
func (s receivesUnordered) collect(ctx context.Context, r *execution) ([]*xmltree.Element, error) {
	for _, w := range s.row {
		if xmltree.Optional(w) {
			if err := r.settle(ctx); err != nil {
				return nil, err
			}
			if r.participants[s.name].Component {
				if err := r.drain(ctx, s.name); err != nil {
					return nil, err
				}
			}
			received := r.kept[s.name]
			delete(r.kept, s.name)
			return received, nil
		}
	}
	ctx, cancel := context.WithTimeout(ctx, r.target.Timeout)
	defer cancel()
	var received []*xmltree.Element
	for len(received) < len(s.row) {
		got, err := r.next(ctx, s.name)
		if err != nil {
			return received, err
		}
		received = append(received, got)
	}
	return received, nil
}

type receivesEventually struct {
	name string
	row  []*xmltree.Element
}

func (s receivesEventually) run(ctx context.Context, r *execution) error {
	ctx, cancel := context.WithTimeout(ctx, eventuallyFactor*r.target.Timeout)
	defer cancel()
	for _, want := range s.row {
		var skipped []*xmltree.Element
		for {
			got, err := r.next(ctx, s.name)
			if err != nil {
				return fmt.Errorf("%w, received\n%swant\n%s", err, describe(skipped), want)
			}
			if r.match(s.name, want, got) == nil {
				break
			}
			skipped = append(skipped, got)
		}
	}
	return nil
}

type receivesNothing struct{ names []string }

func (s receivesNothing) run(ctx context.Context, r *execution) error {
	if err := r.settle(ctx); err != nil {
		return err
	}
	for _, name := range s.names {
		if _, err := r.connection(name); err != nil {
			return err
		}
		if r.participants[name].Component {
			if err := r.drain(ctx, name); err != nil {
				return err
			}
		}
		if kept := r.kept[name]; len(kept) > 0 {
			return fmt.Errorf("%s received\n%s", name, describe(kept))
		}
	}
	return nil
}

// drain collects the stanzas of a component until none has arrived for quietTime: a component
// cannot ping the server, as settle does.
func (r *execution) drain(ctx context.Context, name string) error {
	for {
		e, err := r.within(ctx, quietTime, name)
		switch {
		case errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil:
			return nil
		case err != nil:
			return err
		}
		r.kept[name] = append(r.kept[name], e)
	}
}

func (r *execution) within(ctx context.Context, d time.Duration, name string) (*xmltree.Element, error) {
	ctx, cancel := context.WithTimeout(ctx, d)
	defer cancel()
	return r.connections[name].Next(ctx)
}

type skips struct{ names []string }

func (s skips) run(ctx context.Context, r *execution) error {
	if err := r.settle(ctx); err != nil {
		return err
	}
	for _, name := range s.names {
		delete(r.kept, name)
	}
	return nil
}

type disconnects struct{ names []string }

func (s disconnects) run(_ context.Context, r *execution) error {
	for _, name := range s.names {
		a, err := r.connection(name)
		if err != nil {
			return err
		}
		r.removeConnection(name)
		if err := a.Close(); err != nil {
			return err
		}
	}
	return nil
}

type losesConnection struct{ names []string }

func (s losesConnection) run(_ context.Context, r *execution) error {
	for _, name := range s.names {
		a, err := r.connection(name)
		if err != nil {
			return err
		}
		r.removeConnection(name)
		a.Lose()
	}
	return nil
}

type isDisconnected struct{ name, condition string }

func (s isDisconnected) run(ctx context.Context, r *execution) error {
	ctx, cancel := context.WithTimeout(ctx, r.target.Timeout)
	defer cancel()
	a, err := r.connection(s.name)
	if err != nil {
		return err
	}
	got, err := r.next(ctx, s.name)
	switch {
	case err == nil:
		return fmt.Errorf("%s received\n%s", s.name, got)
	case ctx.Err() != nil:
		return fmt.Errorf("%s is still connected", s.name)
	}
	r.removeConnection(s.name)
	a.Lose()
	return r.condition(err, s.condition)
}

type network struct {
	name, what string
	eventually bool
}

func (s network) run(ctx context.Context, r *execution) error {
	n, ok := r.target.Networks[s.name]
	if !ok {
		return fmt.Errorf("this test has no network %s", s.name)
	}
	what, err := r.vars.Expand(s.what, false)
	if err != nil {
		return err
	}
	if !s.eventually {
		return n.Do(ctx, what)
	}
	ctx, cancel := context.WithTimeout(ctx, eventuallyFactor*r.target.Timeout)
	defer cancel()
	tick := time.NewTicker(retryEvery)
	defer tick.Stop()
	for {
		err := n.Do(ctx, what)
		if err == nil {
			return nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return err
		}
	}
}

type restarts struct{}

func (restarts) run(ctx context.Context, r *execution) error {
	if r.target.Restart == nil {
		return errors.New("this test cannot restart the server")
	}
	for _, name := range append([]string(nil), r.order...) {
		r.connections[name].Lose()
		r.removeConnection(name)
	}
	return r.target.Restart(ctx)
}
