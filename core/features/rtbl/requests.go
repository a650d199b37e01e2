package rtbl

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"

	"github.com/dragoman-im/dragoman/core/command"
	"github.com/dragoman-im/dragoman/core/form"
	"github.com/dragoman-im/dragoman/core/paging"
	"github.com/dragoman-im/dragoman/core/pubsub"
	"github.com/dragoman-im/dragoman/core/router"
	"github.com/dragoman-im/dragoman/core/stanza"
)

const (
	pageSize = 500
	maxPages = 10_000
)

var errNoAnswer = errors.New("no answer came in time")

// request sends a request in the host's name and waits for the answer.
func (l *list) request(ctx context.Context, typ string, payload *stanza.Element) (*stanza.Element, error) {
	answers := make(chan *stanza.Stanza, 1)
	st := stanza.NewIQ(l.name.Service, l.host.Domain(), typ, payload)
	if !l.host.Request(st, l.host.Router().Route, func(answer *stanza.Stanza, _ func(*stanza.Stanza)) {
		if answer != nil {
			answer = answer.Copy()
		}
		answers <- answer
	}) {
		return nil, stanza.ResourceConstraint("too many requests wait")
	}
	select {
	case <-ctx.Done():
		return nil, ctx.Err()
	case answer := <-answers:
		switch {
		case answer == nil:
			return nil, errNoAnswer
		case answer.Type == stanza.TypeError:
			return nil, fmt.Errorf("the service refuses: %s", condition(answer))
		}
		return answer.Child(pubsub.NS, "pubsub"), nil
	}
}

// condition returns the condition of an error, as far as it is one.
func condition(answer *stanza.Stanza) string {
	for x := range answer.Tree().Elements() {
		if x.Local != "error" {
			continue
		}
		for c := range x.Elements() {
			if c.Space == stanza.NSStanzas && c.Local != "text" && len(c.Local) < 64 {
				return c.Local
			}
		}
	}
	return "without a condition"
}

// subscribe subscribes the host's address (XEP-0060 §6.1). Where it is subscribed already the service says so again (§6.1.6).
func (l *list) subscribe(ctx context.Context) error {
	x := stanza.NewElement(pubsub.NS, "subscribe").With("node", l.name.Node).With("jid", l.host.Domain().String())
	answer, err := l.request(ctx, stanza.TypeSet, stanza.NewElement(pubsub.NS, "pubsub").Add(x))
	if err != nil {
		return err
	}
	if state := answer.Child(pubsub.NS, "subscription").Attr("subscription"); state != "" && state != string(pubsub.Subscribed) {
		return fmt.Errorf("the subscription is %.32q", state)
	}
	return nil
}

// fetch reads all items, by pages where the service has them (XEP-0060 §6.5.4).
func (l *list) fetch(ctx context.Context) (map[Hash]struct{}, error) {
	entries := map[Hash]struct{}{}
	page := paging.Request{Max: pageSize, Index: -1}
	for range maxPages {
		items := stanza.NewElement(pubsub.NS, "items").With("node", l.name.Node)
		answer, err := l.request(ctx, stanza.TypeGet, stanza.NewElement(pubsub.NS, "pubsub").Add(items, page.Element()))
		if err != nil {
			return nil, err
		}
		n := 0
		for i := range answer.Child(pubsub.NS, "items").Named(pubsub.NS, "item") {
			n++
			entry, ok := l.parse(i.Attr("id"))
			if !ok {
				continue
			}
			if _, known := entries[entry]; !known && len(entries) >= l.Max {
				l.full.Add(1)
				return entries, nil // what fits is better than nothing
			}
			entries[entry] = struct{}{}
		}
		last := answer.Child(paging.NS, "set").ChildText(paging.NS, "last")
		if n == 0 || last == "" || last == page.After {
			return entries, nil
		}
		page.After = strings.Clone(last)
	}
	return nil, errors.New("the pages do not end")
}

// parse reads the id of an item.
func (l *list) parse(id string) (entry Hash, ok bool) {
	if len(id) != hex.EncodedLen(len(entry)) {
		l.ignored.Add(1)
		return entry, false
	}
	if _, err := hex.Decode(entry[:], []byte(id)); err != nil {
		l.ignored.Add(1)
		return entry, false
	}
	return entry, true
}

// received handles the notifications of the services.
func (l *Lists) received(ctx context.Context, p *router.Pass) error {
	st := p.Stanza
	if st.Type == stanza.TypeError || !st.MayHave(pubsub.NSEvent, "event") {
		return nil
	}
	event := st.Child(pubsub.NSEvent, "event")
	for x := range event.Elements() {
		for _, o := range l.lists {
			if x.Attr("node") == o.name.Node && st.From == o.name.Service {
				o.notified(ctx, x)
				return router.ErrStop
			}
		}
	}
	return nil
}

// notified handles one notification.
func (l *list) notified(ctx context.Context, x *stanza.Element) {
	switch x.Local {
	case "items":
		var changes []change
		for i := range x.Elements() {
			if entry, ok := l.parse(i.Attr("id")); ok && (i.Local == "item" || i.Local == "retract") {
				changes = append(changes, change{entry: entry, add: i.Local == "item"})
			}
		}
		l.changed(ctx, changes)
	case "purge":
		l.changed(ctx, []change{{all: true}})
	case "delete", "subscription": // the subscription has ended: the list stays as it is, and run subscribes again
		l.again()
	}
}

// command shows operators the lists.
func (l *Lists) command() command.Command {
	return command.Command{
		Node: "block-lists", Name: "Block lists of other services", Desc: "The lists of addresses that send spam, and whether they are up to date.",
		Allowed: func(_ context.Context, who command.Caller) bool { return l.Operator(who.JID) },
		Run: func(context.Context, command.Caller) (command.Step, error) {
			f := form.New(form.Result, "", "Block lists of other services")
			for _, o := range l.lists {
				f.Fixed(o.name.Node + " at " + o.name.Service.String() + ": " + o.state())
			}
			return command.Step{Form: f}, nil
		},
	}
}
