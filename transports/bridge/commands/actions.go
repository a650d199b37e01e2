package commands

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/dragoman-im/dragoman/core/command"
	"github.com/dragoman-im/dragoman/core/form"
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/transports"
	"github.com/dragoman-im/dragoman/transports/bridge/convert"
	"github.com/dragoman-im/dragoman/transports/bridge/logins"
	"github.com/dragoman-im/dragoman/transports/bridge/tables"
)

// action is something that a person can tell the gateway to do: by an ad-hoc command of
// the node, or by writing the word, with an argument behind it.
type action struct {
	word  string
	name  string
	help  string
	admin bool
	any   bool // also for those without an account
	run   func(ctx context.Context, c *Commands, a asked) (command.Step, error)
	needs func(transports.Caps) bool // what the network must be capable of; nil for nothing
}

// asked is a request for an action: its user and its argument.
type asked struct {
	owner jid.JID
	arg   string
	chat  bool
}

// The names of the commands that ask for secrets.
const (
	linkName   = "Link an account"
	relinkName = "Link an account again"
)

// actions are all of them, in the order of the help.
var actions = []action{
	{"link", linkName, "link an account", false, true, runLink, nil},
	{"relink", relinkName, "renew the credentials of an account", false, false, withLogin(runRelink), nil},
	{"unlink", "Unlink an account", "remove an account and all that belongs to it", false, false, withLogin(runUnlink), nil},
	{"status", "Accounts", "show your accounts and their states", false, false, runStatus, nil},
	{"rooms", "Rooms", "list the rooms that you can join", false, false, runRooms, nil},
	{"sync", "Read contacts and rooms again", "read contacts and rooms again", false, false, withLogin(runSync), nil},
	{"find", "Find people", "find people and their addresses", false, false, withLogin(runFind), func(c transports.Caps) bool { return c.Resolve || c.Search }},
	{"create", "Make a group", "make a group or channel", false, false, withLogin(runCreate), func(c transports.Caps) bool { return c.Create }},
	{"change", "Change a room", "change a room, or who is in it", false, false, withLogin(runChange), func(c transports.Caps) bool { return len(c.Changes) > 0 }},
	{"commands", "Commands of the network", "run a command of the network", false, false, withLogin(runNetwork), func(c transports.Caps) bool { return c.Commands }},
	{"link-room", "Link a room to a channel", "link a room to a channel: what is said in one is said in the other", false, false, withLogin(runLinkRoom), nil},
	{"linked-rooms", "Linked rooms", "list the rooms that you have linked to channels", false, false, runLinkedRooms, nil},
	{"unlink-room", "Unlink a room from a channel", "end the link of a room and a channel", false, false, runUnlinkRoom, nil},
	{"failed", "Events that failed", "list events that could not be shown", true, true, runFailed, nil},
	{"replay", "Try failed events again", "try failed events again", true, true, runReplay, nil},
}

// offers reports whether a user may run an action.
func (c *Commands) offers(a action, who jid.JID) bool {
	switch {
	case a.needs != nil && !a.needs(c.env.Info.Caps):
		return false
	case a.admin:
		return c.env.Settings.IsAdmin(who)
	case a.any:
		return c.env.Settings.MayUse(who)
	}
	return len(c.logins.Of(who)) > 0
}

// withLogin asks which account is meant where that is not clear.
func withLogin(run func(ctx context.Context, c *Commands, l *logins.Login, a asked) (command.Step, error)) func(context.Context, *Commands, asked) (command.Step, error) {
	return func(ctx context.Context, c *Commands, a asked) (command.Step, error) {
		if l := c.logins.Find(a.owner, a.arg); l != nil {
			return run(ctx, c, l, a)
		}
		list := c.logins.Of(a.owner)
		if len(list) == 0 {
			return command.Failed("You have no account here."), nil
		}
		f := form.New(form.Ask, "", "Which account?")
		var options []form.Option
		for _, l := range list {
			options = append(options, form.Option{Label: l.Name(), Value: string(l.ID)})
		}
		f.Choice("account", "Account", "", options...)
		f.Field("account").Required = true
		return command.Step{Form: f, Then: func(ctx context.Context, answers *form.Form) (command.Step, error) {
			l := c.logins.Find(a.owner, answers.Get("account"))
			if l == nil {
				return command.Step{}, &form.FieldError{Var: "account", Label: "Account", Problem: "is not one of yours"}
			}
			return run(ctx, c, l, a)
		}}, nil
	}
}

func runLink(ctx context.Context, c *Commands, a asked) (command.Step, error) {
	if err := c.logins.MayLink(a.owner, nil); err != nil {
		return command.Failed(convert.StanzaError(err).Text), nil
	}
	return c.chooseFlow(ctx, a, nil)
}

func runRelink(ctx context.Context, c *Commands, l *logins.Login, a asked) (command.Step, error) {
	return c.chooseFlow(ctx, a, l)
}

// chooseFlow asks how to log in where there is more than one way.
func (c *Commands) chooseFlow(ctx context.Context, a asked, previous *logins.Login) (command.Step, error) {
	flows := c.logins.Flows()
	for _, f := range flows {
		if strings.EqualFold(f.ID, lastWord(a.arg)) {
			return c.link(ctx, a, f.ID, previous)
		}
	}
	if len(flows) == 1 {
		return c.link(ctx, a, flows[0].ID, previous)
	}
	f := form.New(form.Ask, "", "How do you want to link your "+c.env.Info.Name+" account?")
	var options []form.Option
	for _, flow := range flows {
		options = append(options, form.Option{Label: flow.Name, Value: flow.ID})
	}
	f.Choice("flow", "Way", flows[0].ID, options...)
	return command.Step{Form: f, Then: func(ctx context.Context, answers *form.Form) (command.Step, error) {
		return c.link(ctx, a, answers.Get("flow"), previous)
	}}, nil
}

func lastWord(s string) string {
	words := strings.Fields(s)
	if len(words) == 0 {
		return ""
	}
	return words[len(words)-1]
}

func runUnlink(_ context.Context, c *Commands, l *logins.Login, _ asked) (command.Step, error) {
	f := form.New(form.Ask, "", "Unlink "+l.Name())
	f.Instructions = []string{"Everything that belongs to this account is removed: its contacts, its rooms and their history here. Nothing is removed on " + c.env.Info.Name + "."}
	f.Bool("sure", "Are you sure?", false)
	f.Field("sure").Required = true
	f.Field("sure").Values = nil
	return command.Ask(f, func(ctx context.Context, answers *form.Form) (command.Step, error) {
		if !answers.IsTrue("sure") {
			return command.Done("Nothing was changed."), nil
		}
		if err := c.logins.Unlink(ctx, l); err != nil {
			return command.Step{}, err
		}
		return command.Done("The account is unlinked."), nil
	}), nil
}

func runStatus(_ context.Context, c *Commands, a asked) (command.Step, error) {
	list := c.logins.Of(a.owner)
	if len(list) == 0 {
		return command.Done("You have no account here."), nil
	}
	step := command.Step{}
	for i, l := range list {
		state, status, cause := l.State()
		text := fmt.Sprintf("%d. %s: %s", i+1, l.Name(), state)
		if status != tables.StatusLinked {
			text = fmt.Sprintf("%d. %s: has to be linked again: %s", i+1, l.Name(), cause)
		}
		step.Notes = append(step.Notes, command.Note{Type: command.Info, Text: text})
	}
	return step, nil
}

const maxListed = 200 // rooms in an answer to a person

func runRooms(ctx context.Context, c *Commands, a asked) (command.Step, error) {
	rooms, err := c.rooms.List(ctx, a.owner, maxListed)
	if err != nil {
		return command.Step{}, err
	}
	if len(rooms) == 0 {
		return command.Done("There are no rooms that you can see."), nil
	}
	list := newAddressList("Rooms on "+c.env.Info.Name, "join", a.chat)
	for _, r := range rooms {
		list.add(r.JID, r.Name)
	}
	return list.step(), nil
}

func runSync(_ context.Context, c *Commands, l *logins.Login, _ asked) (command.Step, error) {
	if !l.Online() {
		return command.Failed(c.env.Info.Name + " cannot be reached at the moment."), nil
	}
	if !c.env.Group.Go(func(ctx context.Context) { c.rooms.Sync(ctx, l) }) {
		return command.Failed("The gateway is shutting down."), nil
	}
	return command.Done("Contacts and rooms are being read."), nil
}

func runFailed(ctx context.Context, c *Commands, _ asked) (command.Step, error) {
	rows, err := c.events.Failed(ctx)
	if err != nil {
		return command.Step{}, err
	}
	if len(rows) == 0 {
		return command.Done("No event has failed."), nil
	}
	f := form.New(form.Result, "", "Events that failed")
	f.Reported = []form.Field{{Var: "seq", Label: "Number"}, {Var: "kind", Label: "Kind"}, {Var: "at", Label: "Taken"}, {Var: "error", Label: "Error"}}
	for _, r := range rows {
		reason, _, _ := strings.Cut(r.Error, "\n")
		f.Items = append(f.Items, []form.Field{
			{Var: "seq", Values: []string{strconv.FormatInt(r.Seq, 10)}}, {Var: "kind", Values: []string{r.Kind}},
			{Var: "at", Values: []string{r.At.UTC().Format("2006-01-02T15:04:05Z")}}, {Var: "error", Values: []string{convert.CutBytes(reason, convert.MaxName)}},
		})
	}
	return command.Step{Form: f}, nil
}

func runReplay(ctx context.Context, c *Commands, _ asked) (command.Step, error) {
	n, err := c.events.Replay(ctx)
	if err != nil {
		return command.Step{}, err
	}
	return command.Done(fmt.Sprintf("%d events are being tried again.", n)), nil
}
