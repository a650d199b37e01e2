package hats

import (
	"context"
	"maps"
	"slices"

	"github.com/dragoman-im/dragoman/core/command"
	"github.com/dragoman-im/dragoman/core/form"
	"github.com/dragoman-im/dragoman/core/jid"
)

// formType is the FORM_TYPE of all forms (XEP-0317 §3.8).
const formType = "urn:xmpp:hats:commands"

// Fields of the forms.
const (
	fieldURI   = "hats#uri"
	fieldTitle = "hats#title"
	fieldHue   = "hats#hue"
	fieldJID   = "hats#jid"
)

// Room is a room with hats.
type Room interface {
	Hats() List
	// SetHats makes a change durable and then announces it.
	SetHats(ctx context.Context, l List) error
	// HatRights returns whether a session may manage the hats, and whether it may see who wears them.
	HatRights(session jid.JID) (manage, see bool)
}

// Commands returns the ad-hoc commands of a room.
func Commands(r Room) []command.Command {
	c := commands{r}
	list := []command.Command{
		{Node: "create", Name: "Create or change a hat", Run: c.create},
		{Node: "destroy", Name: "Destroy a hat", Run: c.destroy},
		{Node: "list", Name: "Hats of the room", Run: c.list, Allowed: anybody},
		{Node: "assign", Name: "Assign a hat", Run: c.assign},
		{Node: "unassign", Name: "Take a hat away", Run: c.unassign},
		{Node: "list-assigned", Name: "Who has which hat", Run: c.assigned, Allowed: c.sees},
	}
	for i := range list {
		list[i].Node = formType + ":" + list[i].Node
		list[i].Direct = true
		if list[i].Allowed == nil {
			list[i].Allowed = c.manages
		}
	}
	return list
}

type commands struct{ room Room }

func anybody(context.Context, command.Caller) bool { return true }

func (c commands) manages(_ context.Context, who command.Caller) bool {
	manage, _ := c.room.HatRights(who.JID)
	return manage
}

func (c commands) sees(_ context.Context, who command.Caller) bool {
	_, see := c.room.HatRights(who.JID)
	return see
}

// ask returns a step with a form, whose answers change the list.
func (c commands) ask(title string, fields []form.Field, change func(l List, answers *form.Form) (List, error)) command.Step {
	f := form.New(form.Ask, formType, title)
	f.Add(fields...)
	return command.Ask(f, func(ctx context.Context, answers *form.Form) (command.Step, error) {
		l, err := change(c.room.Hats(), answers)
		if err == nil {
			err = c.room.SetHats(ctx, l)
		}
		if err != nil {
			return command.Step{}, err
		}
		return command.Step{}, nil
	})
}

// create is XEP-0317 §3.2.
func (c commands) create(context.Context, command.Caller) (command.Step, error) {
	return c.ask("Creating a hat", []form.Field{
		{Var: fieldTitle, Type: form.TextSingle, Label: "Title", Required: true},
		{Var: fieldURI, Type: form.TextSingle, Label: "URI", Required: true},
		{Var: fieldHue, Type: form.TextSingle, Label: "Colour, as an angle from 0 to 360"},
	}, func(l List, a *form.Form) (List, error) {
		return l.Put(Hat{URI: a.Get(fieldURI), Title: a.Get(fieldTitle), Hue: a.Get(fieldHue)})
	}), nil
}

// choice is a field with the hats of the room.
func (c commands) choice() form.Field {
	f := form.Field{Var: fieldURI, Type: form.ListSingle, Label: "Hat", Required: true}
	for _, h := range c.room.Hats().Hats {
		f.Options = append(f.Options, form.Option{Label: h.Title, Value: h.URI})
	}
	return f
}

func address() form.Field {
	return form.Field{Var: fieldJID, Type: form.JIDSingle, Label: "Address", Required: true}
}

// destroy is XEP-0317 §3.3.
func (c commands) destroy(context.Context, command.Caller) (command.Step, error) {
	return c.ask("Destroying a hat", []form.Field{c.choice()}, func(l List, a *form.Form) (List, error) {
		return l.Remove(a.Get(fieldURI))
	}), nil
}

// assign is XEP-0317 §3.5.
func (c commands) assign(context.Context, command.Caller) (command.Step, error) {
	return c.ask("Assigning a hat", []form.Field{address(), c.choice()}, func(l List, a *form.Form) (List, error) {
		who, err := person(a)
		if err != nil {
			return l, err
		}
		return l.Assign(who, a.Get(fieldURI))
	}), nil
}

// unassign is XEP-0317 §3.6.
func (c commands) unassign(context.Context, command.Caller) (command.Step, error) {
	return c.ask("Taking a hat away", []form.Field{address(), c.choice()}, func(l List, a *form.Form) (List, error) {
		who, err := person(a)
		if err != nil {
			return l, err
		}
		return l.Unassign(who, a.Get(fieldURI))
	}), nil
}

// person returns the address of a form.
func person(a *form.Form) (jid.JID, error) {
	who, err := jid.Parse(a.Get(fieldJID))
	if err != nil || who.Local() == "" {
		return jid.JID{}, &form.FieldError{Var: fieldJID, Problem: "this is not the address of a person"}
	}
	return who.Bare(), nil
}

// list is XEP-0317 §3.4.
func (c commands) list(context.Context, command.Caller) (command.Step, error) {
	f := form.New(form.Result, "", "Hats")
	f.Reported = []form.Field{{Var: fieldTitle, Label: "Title"}, {Var: fieldURI, Label: "URI"}, {Var: fieldHue, Label: "Colour"}}
	for _, h := range c.room.Hats().Hats {
		f.Items = append(f.Items, []form.Field{value(fieldTitle, h.Title), value(fieldURI, h.URI), value(fieldHue, h.Hue)})
	}
	return command.Step{Form: f, Table: true}, nil
}

// assigned is XEP-0317 §3.7.
func (c commands) assigned(context.Context, command.Caller) (command.Step, error) {
	f := form.New(form.Result, "", "Assigned hats")
	f.Reported = []form.Field{{Var: fieldJID, Label: "Address"}, {Var: fieldURI, Label: "URI"}, {Var: fieldTitle, Label: "Title"}, {Var: fieldHue, Label: "Colour"}}
	l := c.room.Hats()
	for _, who := range slices.Sorted(maps.Keys(l.Worn)) {
		j, err := jid.Parse(who)
		if err != nil {
			continue
		}
		for _, h := range l.Of(j) {
			f.Items = append(f.Items, []form.Field{value(fieldJID, who), value(fieldURI, h.URI), value(fieldTitle, h.Title), value(fieldHue, h.Hue)})
		}
	}
	return command.Step{Form: f, Table: true}, nil
}

func value(name, text string) form.Field {
	return form.Field{Var: name, Values: []string{text}}
}
