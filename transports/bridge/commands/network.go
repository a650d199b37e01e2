package commands

import (
	"context"
	"strings"

	"github.com/dragoman-im/dragoman/core/command"
	"github.com/dragoman-im/dragoman/core/form"
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/stanza"
	"github.com/dragoman-im/dragoman/transports"
	"github.com/dragoman-im/dragoman/transports/bridge/convert"
	"github.com/dragoman-im/dragoman/transports/bridge/gateway"
	"github.com/dragoman-im/dragoman/transports/bridge/logins"
)

// maxFound is how many people a search shows.
const maxFound = 50

// call calls the network for a command. What goes wrong is the end of the command.
func (c *Commands) call(ctx context.Context, f func(ctx context.Context) (command.Step, error)) (command.Step, error) {
	ctx, cancel := context.WithTimeout(ctx, gateway.CallTimeout)
	defer cancel()
	step, err := f(ctx)
	if err == nil {
		return step, nil
	}
	c.env.Log.Info("a command of the network has failed", "error", err)
	return command.Failed(convert.ErrorText(err, c.env.Info.Name+" does not answer. Please try again later.")), nil
}

func (c *Commands) away() command.Step {
	return command.Failed(c.env.Info.Name + " cannot be reached at the moment.")
}

// runFind finds people by what they are called, and shows their addresses.
func runFind(ctx context.Context, c *Commands, l *logins.Login, a asked) (command.Step, error) {
	f := form.New(form.Ask, "", "Find people on "+c.env.Info.Name)
	f.Text("words", "Name, phone number or email address", "")
	f.Field("words").Required = true
	return command.Ask(f, func(ctx context.Context, answers *form.Form) (command.Step, error) {
		return c.call(ctx, func(ctx context.Context) (command.Step, error) {
			people, err := c.find(ctx, l, answers.Get("words"))
			if err != nil {
				return command.Step{}, err
			}
			return c.showPeople(people, a.chat), nil
		})
	}), nil
}

// find asks for a person of that name, and searches where there is none.
func (c *Commands) find(ctx context.Context, l *logins.Login, words string) ([]transports.UserInfo, error) {
	client := l.Client()
	if r, ok := client.(transports.Resolver); ok && c.env.Info.Caps.Resolve {
		found, err := r.Resolve(ctx, words)
		if err == nil {
			return []transports.UserInfo{found}, nil
		}
		if transports.ClassOf(err) != transports.Refused {
			return nil, err
		}
	}
	if s, ok := client.(transports.Searcher); ok && c.env.Info.Caps.Search {
		return s.Search(ctx, words, maxFound)
	}
	if client == nil {
		return nil, transports.Refuse("recipient-unavailable", c.env.Info.Name+" cannot be reached at the moment.", nil)
	}
	return nil, nil
}

func (c *Commands) showPeople(people []transports.UserInfo, chat bool) command.Step {
	if len(people) == 0 {
		return command.Done("There is nobody of that name.")
	}
	list := newAddressList("People on "+c.env.Info.Name, "message", chat)
	for _, u := range people[:min(len(people), maxFound)] {
		if j, err := (convert.Addresses{Domain: c.env.Domain}).Contact(u.ID); err == nil && u.ID != "" {
			list.add(j, convert.DisplayName(u))
		}
	}
	return list.step()
}

// runCreate makes a group or channel.
func runCreate(_ context.Context, c *Commands, l *logins.Login, a asked) (command.Step, error) {
	creator, ok := l.Client().(transports.GroupCreator)
	if !ok {
		return c.away(), nil
	}
	fields := creator.GroupFields()
	f := fieldForm("", "Make a group on "+c.env.Info.Name, fields, a.chat)
	return command.Ask(f, func(ctx context.Context, answers *form.Form) (command.Step, error) {
		given, err := c.answers(fields, answers)
		if err != nil {
			return command.Step{}, err
		}
		return c.call(ctx, func(ctx context.Context) (command.Step, error) {
			info, err := creator.CreateGroup(ctx, given)
			if err != nil {
				return command.Step{}, err
			}
			if _, _, err := c.rooms.Learn(ctx, l, info); err != nil {
				return command.Step{}, err
			}
			return c.madeRoom(info.ID, "The group is made."), nil
		})
	}), nil
}

// madeRoom ends a command with the address of a room.
func (c *Commands) madeRoom(id transports.RoomID, text string) command.Step {
	if j, err := (convert.Addresses{Domain: c.env.Domain}).Room(id); err == nil && id != "" {
		text = strings.TrimSpace(text + " Its address is " + j.String() + ".")
	}
	return command.Done(text)
}

// answers checks what was entered into the fields of a network, and replaces addresses by the network's ids.
func (c *Commands) answers(fields []transports.Field, answers *form.Form) (map[string]string, error) {
	given := map[string]string{}
	for _, f := range fields {
		value := answers.Get(f.Key)
		if err := f.Check(value); err != nil {
			return nil, &form.FieldError{Var: f.Key, Label: f.Label, Problem: convert.ErrorText(err, "not accepted")}
		}
		if f.Type == transports.FieldUser || f.Type == transports.FieldRoom {
			value = c.networkID(value)
		}
		given[f.Key] = value
	}
	return given, nil
}

// networkID is the id of the network that an address of the gateway stands for; what is none is the id itself.
func (c *Commands) networkID(text string) string {
	text = strings.TrimPrefix(strings.TrimSpace(text), "xmpp:")
	if j, err := jid.Parse(text); err == nil && j.Domain() == c.env.Domain.Domain() {
		return convert.NetworkID(j)
	}
	return text
}

// runNetwork runs a command of the network's own.
func runNetwork(ctx context.Context, c *Commands, l *logins.Login, a asked) (command.Step, error) {
	commander, ok := l.Client().(transports.Commander)
	if !ok {
		return c.away(), nil
	}
	return c.call(ctx, func(ctx context.Context) (command.Step, error) {
		offered, err := commander.Commands(ctx)
		if err != nil {
			return command.Step{}, err
		}
		if len(offered) == 0 {
			return command.Done(c.env.Info.Name + " offers no commands."), nil
		}
		f := form.New(form.Ask, "", "Commands of "+c.env.Info.Name)
		var options []form.Option
		for _, o := range offered {
			options = append(options, form.Option{Label: o.Title, Value: o.Name})
		}
		f.Choice("command", "Command", "", options...)
		f.Field("command").Required = true
		return command.Ask(f, func(_ context.Context, answers *form.Form) (command.Step, error) {
			for _, o := range offered {
				if o.Name == answers.Get("command") {
					return c.askCommand(commander, o, a), nil
				}
			}
			return command.Step{}, stanza.ItemNotFound("There is no such command.")
		}), nil
	})
}

// askCommand asks for what a command needs, and runs it.
func (c *Commands) askCommand(commander transports.Commander, o transports.Command, a asked) command.Step {
	f := fieldForm("", o.Title, o.Fields, a.chat)
	if o.Help != "" {
		f.Instructions = []string{o.Help}
	}
	return command.Ask(f, func(ctx context.Context, answers *form.Form) (command.Step, error) {
		given, err := c.answers(o.Fields, answers)
		if err != nil {
			return command.Step{}, err
		}
		return c.call(ctx, func(ctx context.Context) (command.Step, error) {
			result, err := commander.RunCommand(ctx, o.Name, given)
			if err != nil {
				return command.Step{}, err
			}
			return c.madeRoom(result.Room, result.Text), nil
		})
	})
}

// runChange changes a room, or what the login has made of it.
func runChange(_ context.Context, c *Commands, l *logins.Login, _ asked) (command.Step, error) {
	f := form.New(form.Ask, "", "Change a room on "+c.env.Info.Name)
	f.Text("room", "Address of the room", "")
	f.Field("room").Required = true
	var options []form.Option
	for _, change := range convert.Changes(c.env.Info.Caps) {
		label := change.Name
		if change.Value != "" {
			label += " (value: " + change.Value + ")"
		}
		options = append(options, form.Option{Label: label, Value: string(change.Kind)})
	}
	f.Choice("change", "Change", "", options...)
	f.Field("change").Required = true
	f.Text("user", "Address of the person whom it is about", "")
	f.Text("value", "Value", "")
	return command.Ask(f, func(ctx context.Context, answers *form.Form) (command.Step, error) {
		change, err := convert.Change(transports.ChangeKind(answers.Get("change")), transports.RoomID(c.networkID(answers.Get("room"))),
			transports.UserID(c.networkID(answers.Get("user"))), answers.Get("value"))
		if err != nil {
			return command.Failed(convert.StanzaError(err).Text), nil
		}
		changer, ok := l.Client().(transports.Changer)
		if !ok || !l.Caps(change.Room).CanChange(change.Kind) {
			return command.Failed("This cannot be changed here now."), nil
		}
		return c.call(ctx, func(ctx context.Context) (command.Step, error) {
			applied, err := changer.Apply(ctx, change)
			switch {
			case err != nil:
				return command.Step{}, err
			case applied.Reverted:
				return command.Failed(strings.TrimSpace(c.env.Info.Name + " has put back what was. " + applied.Text)), nil
			}
			return command.Done(strings.TrimSpace("It is changed. " + applied.Text)), nil
		})
	}), nil
}
