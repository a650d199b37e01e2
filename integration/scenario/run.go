package scenario

import (
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/dragoman-im/dragoman/integration/xmltree"
)

// Timeouts and intervals of the runner.
const (
	defaultTimeout   = 10 * time.Second
	eventuallyFactor = 3                      // times the timeout, for an 'eventually' step
	quietTime        = 200 * time.Millisecond // without a stanza, after which no more are expected for a component
	retryEvery       = 20 * time.Millisecond
)

// action is what a step does.
type action interface {
	run(ctx context.Context, r *execution) error
}

// execution is the state of a scenario that is being run. It belongs to the goroutine of Run.
type execution struct {
	target       Target
	participants map[string]Participant
	connections  map[string]Connection
	order        []string                      // names of connections, in the order in which they connected
	kept         map[string][]*xmltree.Element // received while waiting for something else
	vars         xmltree.Bindings
	syncs        int
}

// Run runs a scenario against a target. The error is a *Failure that names the step.
func Run(ctx context.Context, p *Scenario, target Target) error {
	if target.Timeout == 0 {
		target.Timeout = defaultTimeout
	}
	if target.Log == nil {
		target.Log = func(string, ...any) {}
	}
	r := &execution{
		target:       target,
		participants: map[string]Participant{},
		connections:  map[string]Connection{},
		kept:         map[string][]*xmltree.Element{},
		vars:         xmltree.Bindings{"host": target.Host},
	}
	for name, value := range target.Vars {
		r.vars[name] = value
	}
	for _, participant := range p.Participants {
		jid, err := r.vars.Expand(participant.JID, false)
		if err != nil {
			return fmt.Errorf("jid of %s: %w", participant.Name, err)
		}
		participant.JID = jid
		r.participants[participant.Name] = participant
	}
	defer r.end()
	for _, step := range p.Steps {
		target.Log("%s.scenario:%d: %s", p.Name, step.Line, step.Text)
		if err := step.action.run(ctx, r); err != nil {
			return &Failure{Scenario: p.Name, Step: step, Err: err}
		}
	}
	return nil
}

// end closes the connections that are still open.
func (r *execution) end() {
	for _, connection := range r.connections {
		connection.Lose()
	}
}

func (r *execution) connection(name string) (Connection, error) {
	if a := r.connections[name]; a != nil {
		return a, nil
	}
	return nil, fmt.Errorf("%s is not connected", name)
}

// register makes a connection known and binds its names.
func (r *execution) register(name string, a Connection) {
	r.connections[name] = a
	r.order = append(r.order, name)
	bare, resource, _ := strings.Cut(a.JID(), "/")
	r.vars[name], r.vars[name+".bare"], r.vars[name+".resource"] = a.JID(), bare, resource
}

// removeConnection forgets a connection; its names keep their last value.
func (r *execution) removeConnection(name string) {
	delete(r.connections, name)
	delete(r.kept, name)
	for i, n := range r.order {
		if n == name {
			r.order = append(r.order[:i:i], r.order[i+1:]...)
			return
		}
	}
}

// asksForCount reports whether e is a server's request for an acknowledgement (XEP-0198 §4), which may come at any time.
func asksForCount(e *xmltree.Element) bool {
	return e.Name.Space == "urn:xmpp:sm:3" && e.Name.Local == "r"
}

// receive takes what comes next on a connection, without the requests of asksForCount.
func receive(ctx context.Context, a Connection) (*xmltree.Element, error) {
	e, err := a.Next(ctx)
	for err == nil && asksForCount(e) {
		e, err = a.Next(ctx)
	}
	return e, err
}

// next takes the next stanza for name, normalised as doc.go says.
func (r *execution) next(ctx context.Context, name string) (*xmltree.Element, error) {
	a, err := r.connection(name)
	if err != nil {
		return nil, err
	}
	if kept := r.kept[name]; len(kept) > 0 {
		r.kept[name] = kept[1:]
		return kept[0], nil
	}
	e, err := receive(ctx, a)
	if err != nil {
		if errors.Is(err, context.DeadlineExceeded) {
			err = errors.New("no stanza arrived")
		}
		return nil, err
	}
	return e, r.address(name, e)
}

// address checks "to" and fills in "from" (RFC 6120 §8.1).
func (r *execution) address(name string, e *xmltree.Element) error {
	if e.Name.Space != "jabber:client" || r.participants[name].Component {
		return nil
	}
	if e.Attr("from") == "" {
		e.Attrs[xml.Name{Local: "from"}] = r.vars[name+".bare"]
	}
	to, _, _ := strings.Cut(e.Attr("to"), "/") // a chat message may be addressed to another resource
	if to != "" && to != r.vars[name+".bare"] {
		return fmt.Errorf("%s received a stanza to %s:\n%s", name, to, e)
	}
	return nil
}

// match compares one stanza with the expectation of the scenario.
func (r *execution) match(name string, want, got *xmltree.Element) error {
	return xmltree.Match(r.prepared(name, want), r.stripped(name, want.Children, got), r.vars)
}

// prepared is want with the attributes that a scenario may leave out.
func (r *execution) prepared(name string, want *xmltree.Element) *xmltree.Element {
	if want.Name.Space != "jabber:client" {
		return want
	}
	full := *want
	full.Attrs = map[xml.Name]string{{Space: xmltree.XMLSpace, Local: "lang"}: "{any?}"}
	if !r.participants[name].Component {
		full.Attrs[xml.Name{Local: "from"}] = "{" + name + ".bare}"
		full.Attrs[xml.Name{Local: "to"}] = "{any?}"
	}
	maps.Copy(full.Attrs, want.Attrs)
	return &full
}

// stripped is got without the stanza-id of the own account's archive (XEP-0359), unless want has one.
func (r *execution) stripped(name string, want []*xmltree.Element, got *xmltree.Element) *xmltree.Element {
	const sid = "urn:xmpp:sid:0"
	isID := func(e *xmltree.Element) bool { return e.Name.Space == sid && e.Name.Local == "stanza-id" }
	if slices.ContainsFunc(want, isID) {
		return got
	}
	clean := *got
	clean.Children = slices.DeleteFunc(slices.Clone(got.Children), func(e *xmltree.Element) bool {
		return isID(e) && e.Attr("by") == r.vars[name+".bare"]
	})
	return &clean
}

// settle waits until the server has processed everything that was sent, and everything that it
// caused: each connection in turn pings the server, which must answer. Stanzas that arrive before
// the answers are kept. Two rounds, as a stanza may pass through two sessions.
func (r *execution) settle(ctx context.Context) error {
	for range 2 {
		for _, name := range r.order {
			if r.participants[name].Component {
				continue
			}
			if err := r.ping(ctx, name); err != nil {
				return err
			}
		}
	}
	return nil
}

func (r *execution) ping(ctx context.Context, name string) error {
	ctx, cancel := context.WithTimeout(ctx, r.target.Timeout)
	defer cancel()
	r.syncs++
	id := fmt.Sprintf("scenario-sync-%d", r.syncs)
	a := r.connections[name]
	if err := a.Send("<iq type='get' id='" + id + "'><ping xmlns='urn:xmpp:ping'/></iq>"); err != nil {
		return err
	}
	for {
		e, err := receive(ctx, a)
		if err != nil {
			return fmt.Errorf("%s waits for the answer to a ping: %w", name, err)
		}
		if e.Name.Local == "iq" && e.Attr("id") == id {
			return nil
		}
		if err := r.address(name, e); err != nil {
			return err
		}
		r.kept[name] = append(r.kept[name], e)
	}
}
