package admincommands

import (
	"context"
	"fmt"

	"github.com/dragoman-im/dragoman/core/admin"
	"github.com/dragoman-im/dragoman/core/command"
	"github.com/dragoman-im/dragoman/core/form"
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// Names of fields of the commands for rooms.
const (
	fieldRoom      = "room"
	fieldAfter     = "after"
	fieldAlternate = "alternate"
	fieldReason    = "reason"
	fieldOwners    = "owners"
)

// roomsPage is the number of rooms in one list.
const roomsPage = 200

// roomCommands list, change and destroy rooms. XEP-0133 has no such commands.
var roomCommands = []declared{
	{"rooms-list", "List rooms", admin.ManageRooms, listRooms, false},
	{"rooms-change", "Change a room", admin.ManageRooms, changeRoom, false},
	{"rooms-destroy", "Destroy a room", admin.ManageRooms, destroyRoom, false},
}

// roomCommand returns a command that is there if the host has rooms.
func (c *Commands) roomCommand(d declared) command.Command {
	all := c.command(d)
	allowed := all.Allowed
	all.Node = d.node
	all.Allowed = func(ctx context.Context, who command.Caller) bool { return c.service.Rooms != nil && allowed(ctx, who) }
	return all
}

// roomForm returns an empty form; its fields are not those of XEP-0133.
func (q request) roomForm(kind form.Kind, instructions ...string) *form.Form {
	f := form.New(kind, "", q.title)
	f.Instructions = instructions
	return f
}

func listRooms(_ context.Context, q request) (command.Step, error) {
	f := q.roomForm(form.Ask, fmt.Sprintf("The list has at most %d rooms. For more, give the last address of the list before.", roomsPage))
	f.Add(form.Field{Var: fieldAfter, Type: form.TextSingle, Label: "Begin after this address"})
	return q.ask(f, func(ctx context.Context, answers *form.Form) (command.Step, error) {
		list, err := q.ListRooms(ctx, q.who, answers.Get(fieldAfter), roomsPage)
		if err != nil {
			return command.Step{}, err
		}
		if len(list) == 0 {
			return done("There are no rooms.")
		}
		x := q.roomForm(form.Result)
		x.Reported = []form.Field{
			{Var: fieldRoom, Type: form.JIDSingle, Label: "Room"}, {Var: "name", Type: form.TextSingle, Label: "Name"},
			{Var: "creator", Type: form.TextSingle, Label: "Created by"}, {Var: "kept", Type: form.TextSingle, Label: "Stays"},
		}
		for _, r := range list {
			kept := "while people are in it"
			if r.Kept {
				kept = "always"
			}
			x.Items = append(x.Items, []form.Field{
				{Var: fieldRoom, Values: []string{r.JID.String()}}, {Var: "name", Values: []string{r.Name}},
				{Var: "creator", Values: []string{r.Creator.String()}}, {Var: "kept", Values: []string{kept}},
			})
		}
		return command.Step{Form: x}, nil
	}), nil
}

// askRoom asks for the address of a room.
func (q request) askRoom(then func(ctx context.Context, at jid.JID, answers *form.Form) (command.Step, error), more ...form.Field) command.Step {
	f := q.roomForm(form.Ask)
	f.Add(form.Field{Var: fieldRoom, Type: form.JIDSingle, Label: "The address of the room", Required: true}).Add(more...)
	return q.ask(f, func(ctx context.Context, answers *form.Form) (command.Step, error) {
		at, ok := answers.JID(fieldRoom)
		if !ok || !isAccount(at) {
			return command.Step{}, &form.FieldError{Var: fieldRoom, Label: "The address", Problem: "is not the address of a room"}
		}
		return then(ctx, at, answers)
	})
}

func changeRoom(_ context.Context, q request) (command.Step, error) {
	return q.askRoom(func(ctx context.Context, at jid.JID, _ *form.Form) (command.Step, error) {
		now, err := q.Room(ctx, q.who, at)
		if err != nil {
			return command.Step{}, err
		}
		f := q.roomForm(form.Ask, fmt.Sprintf("%d people are in the room. Whoever is an owner and not named any more has no rights in it.", now.Occupants))
		f.Text("name", "Name", now.Name)
		f.Text("description", "Description", now.Description)
		f.Bool("listed", "Shown in the list of rooms", now.Listed)
		f.Bool("persistent", "Stays when everybody has left", now.Persistent)
		f.Bool("membersonly", "Members only", now.MembersOnly)
		f.Bool("moderated", "Only those with a voice may write", now.Moderated)
		f.Add(form.Field{Var: fieldOwners, Type: form.JIDMulti, Label: "Owners", Values: texts(now.Owners)})
		return q.ask(f, func(ctx context.Context, answers *form.Form) (command.Step, error) {
			r, err := readRoom(now, answers)
			if err != nil {
				return command.Step{}, err
			}
			if err := q.ChangeRoom(ctx, q.who, at, r); err != nil {
				return command.Step{}, err
			}
			return done(at.String() + " is changed.")
		}), nil
	}), nil
}

// readRoom applies a form to a room; fields that are left out change nothing (XEP-0004 §3.5).
func readRoom(r admin.Room, answers *form.Form) (admin.Room, error) {
	for name, text := range map[string]*string{"name": &r.Name, "description": &r.Description} {
		if answers.Has(name) {
			*text = answers.Get(name)
		}
	}
	for name, flag := range map[string]*bool{"listed": &r.Listed, "persistent": &r.Persistent, "membersonly": &r.MembersOnly, "moderated": &r.Moderated} {
		if answers.Has(name) {
			*flag = answers.IsTrue(name)
		}
	}
	if !answers.Has(fieldOwners) {
		return r, nil
	}
	var err error
	if r.Owners, err = addresses(answers, fieldOwners, isAccount); err == nil && len(r.Owners) == 0 {
		err = stanza.NotAcceptable("A room needs an owner.")
	}
	return r, err
}

func destroyRoom(_ context.Context, q request) (command.Step, error) {
	return q.askRoom(
		func(ctx context.Context, at jid.JID, answers *form.Form) (command.Step, error) {
			alternate, _ := answers.JID(fieldAlternate)
			if err := q.DestroyRoom(ctx, q.who, at, alternate, answers.Get(fieldReason)); err != nil {
				return command.Step{}, err
			}
			return done(at.String() + " is destroyed.")
		},
		form.Field{Var: fieldAlternate, Type: form.JIDSingle, Label: "The room to use instead"},
		form.Field{Var: fieldReason, Type: form.TextSingle, Label: "The reason, for those who are in the room"},
	), nil
}
