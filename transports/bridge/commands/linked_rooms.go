package commands

import (
	"context"
	"strconv"
	"strings"

	"github.com/dragoman-im/dragoman/core/command"
	"github.com/dragoman-im/dragoman/core/form"
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/transports"
	"github.com/dragoman-im/dragoman/transports/bridge/convert"
	"github.com/dragoman-im/dragoman/transports/bridge/links"
	"github.com/dragoman-im/dragoman/transports/bridge/logins"
)

// runLinkRoom links a room of another service to a channel.
func runLinkRoom(_ context.Context, c *Commands, l *logins.Login, _ asked) (command.Step, error) {
	f := form.New(form.Ask, "", "Link a room to a channel of "+c.env.Info.Name)
	f.Instructions = []string{"What is said in one of the two is then said in the other. You have to be in the room as its owner or administrator, or " +
		c.env.Domain.String() + " has to be a member of it, which a room that hides addresses needs. As a moderator it can also retract messages for all."}
	f.Text("channel", "Address of the channel, as the command 'rooms' lists it", "")
	f.Field("channel").Required = true
	f.Text("room", "Address of the room", "")
	f.Field("room").Required = true
	f.Add(form.Field{
		Var: "people", Type: form.TextSingle, Label: "People of the channel who are in the room at most: those who wrote last",
		Values: []string{strconv.Itoa(links.DefaultPeople)}, Check: &form.Check{Datatype: "xs:integer", Min: "1", Max: strconv.Itoa(links.MaxPeople)},
	})
	return command.Ask(f, func(ctx context.Context, answers *form.Form) (command.Step, error) {
		channel, ok, err := c.rooms.Writable(ctx, l, transports.RoomID(c.networkID(answers.Get("channel"))))
		if err != nil {
			return command.Step{}, err
		}
		if !ok {
			return command.Step{}, &form.FieldError{Var: "channel", Label: "Address of the channel", Problem: "is no room that you may write to"}
		}
		address, err := jid.Parse(strings.TrimSuffix(strings.TrimPrefix(strings.TrimSpace(answers.Get("room")), "xmpp:"), "?join"))
		if err != nil {
			return command.Step{}, &form.FieldError{Var: "room", Label: "Address of the room", Problem: "is no address"}
		}
		people, _ := strconv.Atoi(answers.Get("people")) // checked by the form
		if err := c.links.Create(ctx, links.Request{Login: l, Channel: channel, Address: address, People: people}); err != nil {
			return command.Failed(convert.StanzaError(err).Text), nil
		}
		return command.Done("The room " + address.Bare().String() + " is linked to " + convert.RoomTitle(channel) + "."), nil
	}), nil
}

func runLinkedRooms(ctx context.Context, c *Commands, a asked) (command.Step, error) {
	list, err := c.links.List(ctx, c.logins.Of(a.owner))
	if err != nil {
		return command.Step{}, err
	}
	if len(list) == 0 {
		return command.Done("You have linked no room."), nil
	}
	if a.chat {
		var text strings.Builder
		text.WriteString("Linked rooms:")
		for _, s := range list {
			text.WriteString("\n" + s.Channel + " and " + s.Address.String() + ": " + s.Text)
		}
		return command.Done(text.String()), nil
	}
	f := form.New(form.Result, "", "Linked rooms")
	f.Reported = []form.Field{{Var: "channel", Label: "Channel"}, {Var: "room", Type: form.JIDSingle, Label: "Room"}, {Var: "state", Label: "State"}}
	for _, s := range list {
		f.Items = append(f.Items, []form.Field{
			{Var: "channel", Values: []string{s.Channel}}, {Var: "room", Values: []string{s.Address.String()}}, {Var: "state", Values: []string{s.Text}},
		})
	}
	return command.Step{Form: f}, nil
}

func runUnlinkRoom(ctx context.Context, c *Commands, a asked) (command.Step, error) {
	list, err := c.links.List(ctx, c.logins.Of(a.owner))
	if err != nil {
		return command.Step{}, err
	}
	if len(list) == 0 {
		return command.Done("You have linked no room."), nil
	}
	f := form.New(form.Ask, "", "Unlink a room from a channel")
	var options []form.Option
	for _, s := range list {
		options = append(options, form.Option{Label: s.Channel + " and " + s.Address.String(), Value: strconv.FormatInt(s.ID, 10)})
	}
	f.Choice("link", "Link", "", options...)
	f.Field("link").Required = true
	return command.Ask(f, func(ctx context.Context, answers *form.Form) (command.Step, error) {
		id, _ := strconv.ParseInt(answers.Get("link"), 10, 64) // one of the options
		if err := c.links.Remove(ctx, c.logins.Of(a.owner), id); err != nil {
			return command.Failed(convert.StanzaError(err).Text), nil
		}
		return command.Done("The two are not linked any longer."), nil
	}), nil
}
