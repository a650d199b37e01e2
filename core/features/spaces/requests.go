package spaces

import (
	"context"
	"errors"
	"strings"

	"github.com/dragoman-im/dragoman/core/command"
	"github.com/dragoman-im/dragoman/core/form"
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/pubsub"
	"github.com/dragoman-im/dragoman/core/stanza"
)

const (
	nsConfig    = "http://jabber.org/protocol/pubsub#node_config"
	nsBookmarks = "urn:xmpp:bookmarks:1" // XEP-0402
)

// request makes a request to the service as the caller of a command. namespace is that of its payload.
func (s *Spaces) request(ctx context.Context, who command.Caller, typ, namespace string, content ...*stanza.Element) (*stanza.Element, error) {
	payload := stanza.NewElement(namespace, "pubsub").Add(content...)
	st := (&stanza.Stanza{Kind: stanza.IQ, Type: typ, ID: stanza.NewID(), From: who.JID, To: who.To.Bare()}).With(payload)
	xml, err := s.Nodes.Handle(ctx, &pubsub.Request{Stanza: st, Payload: payload, Service: who.To.Bare(), Route: s.Route})
	if err != nil || xml == "" {
		return nil, err
	}
	return stanza.ParseElement(xml, "")
}

// set is request of type set, whose answer does not matter.
func (s *Spaces) set(ctx context.Context, who command.Caller, namespace string, content ...*stanza.Element) error {
	_, err := s.request(ctx, who, stanza.TypeSet, namespace, content...)
	return err
}

// RoomDestroyed takes a room that does not exist any longer out of a space of the service.
func (s *Spaces) RoomDestroyed(ctx context.Context, service jid.JID, node string, room jid.JID) error {
	retract := stanza.NewElement(pubsub.NS, "retract").With("node", node).Add(stanza.NewElement(pubsub.NS, "item").With("id", room.String()))
	err := s.set(ctx, command.Caller{JID: service, To: service}, pubsub.NS, retract)
	if e, ok := errors.AsType[*stanza.Error](err); ok && e.Condition == "item-not-found" {
		return nil // it was taken out before
	}
	return err
}

func configuration(fields ...string) *stanza.Element {
	f := form.New(form.Submit, nsConfig, "")
	for i := 0; i < len(fields); i += 2 {
		f.Set(fields[i], fields[i+1])
	}
	return f.Element()
}

// create asks for the description of a new space, and creates it.
func (s *Spaces) create(_ context.Context, who command.Caller) (command.Step, error) {
	f := form.New(form.Ask, "", "Create a space")
	f.Add(form.Field{Var: "title", Type: form.TextSingle, Label: "Name", Required: true})
	f.Text("description", "Description", "")
	f.Bool("private", "People join only after you have agreed", false)
	return command.Ask(f, func(ctx context.Context, answers *form.Form) (command.Step, error) {
		if strings.TrimSpace(answers.Get("title")) == "" {
			return command.Step{}, &form.FieldError{Var: "title", Label: "Name", Problem: "is missing"}
		}
		access := pubsub.Open
		if answers.IsTrue("private") {
			access = pubsub.Authorize
		}
		configure := stanza.NewElement(pubsub.NS, "configure").Add(configuration( // XEP-0503 §3
			"pubsub#type", pubsub.NSSpaces, "pubsub#title", answers.Get("title"), "pubsub#description", answers.Get("description"),
			"pubsub#notify_retract", "1", "pubsub#persist_items", "1", "pubsub#notify_sub", "1", "pubsub#notify_config", "1", "pubsub#notify_delete", "1",
			"pubsub#publish_model", "publishers", "pubsub#access_model", string(access)))
		x, err := s.request(ctx, who, stanza.TypeSet, pubsub.NS, stanza.NewElement(pubsub.NS, "create"), configure)
		if err != nil {
			return command.Step{}, err
		}
		node := x.Child(pubsub.NS, "create").Attr("node")
		if err := s.set(ctx, who, pubsub.NS, subscription("subscribe", node, who.JID)); err != nil {
			return command.Step{}, err
		}
		r := form.New(form.Result, "", "The space is there")
		return command.Step{Form: r.Text("uri", "Address", pubsub.NodeURI(who.To.Bare(), node)).Text("node", "Node", node)}, nil
	}), nil
}

func subscription(verb, node string, who jid.JID) *stanza.Element {
	return stanza.NewElement(pubsub.NS, verb).With("node", node).With("jid", who.Bare().String())
}

// rename asks for the new name.
func (s *Spaces) rename(_ context.Context, t target) (command.Step, error) {
	f := form.New(form.Ask, "", "Rename a space")
	f.Add(form.Field{Var: "title", Type: form.TextSingle, Label: "Name", Required: true, Values: []string{t.space.Name()}})
	return command.Ask(f, func(ctx context.Context, answers *form.Form) (command.Step, error) {
		configure := stanza.NewElement(pubsub.NSOwner, "configure").With("node", t.space.Node).Add(configuration("pubsub#title", answers.Get("title")))
		if err := s.set(ctx, t.who, pubsub.NSOwner, configure); err != nil {
			return command.Step{}, err
		}
		return command.Done("The space has its new name."), nil
	}), nil
}

// remove deletes the space. Its rooms stay.
func (s *Spaces) remove(_ context.Context, t target) (command.Step, error) {
	f := form.New(form.Ask, "", "Delete "+t.space.Name())
	f.Bool("sure", "Delete this space; its rooms stay", false)
	return command.Ask(f, func(ctx context.Context, answers *form.Form) (command.Step, error) {
		if !answers.IsTrue("sure") {
			return command.Done("Nothing was deleted."), nil
		}
		if err := s.set(ctx, t.who, pubsub.NSOwner, stanza.NewElement(pubsub.NSOwner, "delete").With("node", t.space.Node)); err != nil {
			return command.Step{}, err
		}
		return command.Done("The space is deleted."), nil
	}), nil
}

// addRoom asks for a room and publishes it.
func (s *Spaces) addRoom(_ context.Context, t target) (command.Step, error) {
	f := form.New(form.Ask, "", "Add a room to "+t.space.Name())
	f.Add(form.Field{Var: "room", Type: form.JIDSingle, Label: "Address of the room", Required: true})
	f.Text("name", "Name of the room", "")
	f.Bool("autojoin", "Members of the space enter it by themselves", false)
	return command.Ask(f, func(ctx context.Context, answers *form.Form) (command.Step, error) {
		room, ok := answers.JID("room")
		if !ok || room.Local() == "" {
			return command.Step{}, &form.FieldError{Var: "room", Label: "Address of the room", Problem: "is not that of a room"}
		}
		conference := stanza.NewElement(nsBookmarks, "conference").With("name", answers.Get("name"))
		if answers.IsTrue("autojoin") {
			conference.With("autojoin", "true")
		}
		item := stanza.NewElement(pubsub.NS, "item").With("id", room.Bare().String()).Add(conference)
		if err := s.set(ctx, t.who, pubsub.NS, stanza.NewElement(pubsub.NS, "publish").With("node", t.space.Node).Add(item)); err != nil {
			return command.Step{}, err
		}
		if shown, err := s.inRoom(ctx, Rooms.EnterSpace, t, room); !shown || err != nil {
			return command.Done("The room is in the space. It does not say so itself: only its owners can do that."), err
		}
		return command.Done("The room is in the space."), nil
	}), nil
}

// removeRoom asks which room is to be taken out.
func (s *Spaces) removeRoom(ctx context.Context, t target) (command.Step, error) {
	x, err := s.request(ctx, t.who, stanza.TypeGet, pubsub.NS, stanza.NewElement(pubsub.NS, "items").With("node", t.space.Node))
	if err != nil {
		return command.Step{}, err
	}
	var options []form.Option
	for i := range x.Child(pubsub.NS, "items").Named(pubsub.NS, "item") {
		if c := i.Child(nsBookmarks, "conference"); c != nil {
			options = append(options, form.Option{Label: c.Attr("name"), Value: i.Attr("id")})
		}
	}
	if len(options) == 0 {
		return command.Done("There are no rooms in this space."), nil
	}
	f := form.New(form.Ask, "", "Remove a room from "+t.space.Name())
	f.Add(form.Field{Var: "room", Type: form.ListSingle, Label: "Room", Required: true, Options: options})
	return command.Ask(f, func(ctx context.Context, answers *form.Form) (command.Step, error) {
		id := answers.Get("room")
		retract := stanza.NewElement(pubsub.NS, "retract").With("node", t.space.Node).Add(stanza.NewElement(pubsub.NS, "item").With("id", id))
		if err := s.set(ctx, t.who, pubsub.NS, retract); err != nil {
			return command.Step{}, err
		}
		if room, err := jid.Parse(id); err == nil {
			if _, err := s.inRoom(ctx, Rooms.LeaveSpace, t, room); err != nil {
				return command.Step{}, err
			}
		}
		return command.Done("The room is not in the space any longer."), nil
	}), nil
}

// inRoom changes what a room says about its space.
func (s *Spaces) inRoom(ctx context.Context, change func(Rooms, context.Context, jid.JID, jid.JID, string) (bool, error), t target, room jid.JID) (bool, error) {
	if s.rooms == nil {
		return false, nil
	}
	return change(s.rooms, ctx, t.who.JID.Bare(), room.Bare(), t.uri())
}

// join subscribes to the space; an owner may have to agree first.
func (s *Spaces) join(ctx context.Context, t target) (command.Step, error) {
	x, err := s.request(ctx, t.who, stanza.TypeSet, pubsub.NS, subscription("subscribe", t.space.Node, t.who.JID))
	switch {
	case err != nil:
		return command.Step{}, err
	case x.Child(pubsub.NS, "subscription").Attr("subscription") == string(pubsub.Pending):
		return command.Done("The owners of the space are asked."), nil
	}
	return command.Done("You have joined " + t.space.Name() + "."), nil
}

// leave ends all subscriptions of the caller to the space.
func (s *Spaces) leave(ctx context.Context, t target) (command.Step, error) {
	x, err := s.request(ctx, t.who, stanza.TypeGet, pubsub.NS, stanza.NewElement(pubsub.NS, "subscriptions").With("node", t.space.Node))
	if err != nil {
		return command.Step{}, err
	}
	for i := range x.Child(pubsub.NS, "subscriptions").Named(pubsub.NS, "subscription") {
		end := stanza.NewElement(pubsub.NS, "unsubscribe").With("node", t.space.Node).With("jid", i.Attr("jid"))
		if err := s.set(ctx, t.who, pubsub.NS, end); err != nil {
			return command.Step{}, err
		}
	}
	return command.Done("You have left " + t.space.Name() + "."), nil
}

// members shows who has joined the space, and who has an affiliation with it.
func (s *Spaces) members(ctx context.Context, t target) (command.Step, error) {
	affiliations, err := s.request(ctx, t.who, stanza.TypeGet, pubsub.NSOwner, stanza.NewElement(pubsub.NSOwner, "affiliations").With("node", t.space.Node))
	if err != nil {
		return command.Step{}, err
	}
	subscriptions, err := s.request(ctx, t.who, stanza.TypeGet, pubsub.NSOwner, stanza.NewElement(pubsub.NSOwner, "subscriptions").With("node", t.space.Node))
	if err != nil {
		return command.Step{}, err
	}
	f := form.New(form.Result, "", "Members of "+t.space.Name())
	f.Reported = []form.Field{{Var: "jid", Type: form.JIDSingle, Label: "Address"}, {Var: "is", Type: form.TextSingle, Label: "Is"}}
	for _, list := range []struct {
		x    *stanza.Element
		name string
	}{{affiliations.Child(pubsub.NSOwner, "affiliations"), "affiliation"}, {subscriptions.Child(pubsub.NSOwner, "subscriptions"), "subscription"}} {
		for i := range list.x.Named(pubsub.NSOwner, list.name) {
			f.Items = append(f.Items, []form.Field{{Var: "jid", Values: []string{i.Attr("jid")}}, {Var: "is", Values: []string{i.Attr(list.name)}}})
		}
	}
	return command.Step{Form: f}, nil
}
