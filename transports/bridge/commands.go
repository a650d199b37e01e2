package bridge

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/dragoman-im/dragoman/core/command"
	"github.com/dragoman-im/dragoman/core/form"
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/transports"
	"github.com/dragoman-im/dragoman/transports/bridge/tables"
)

// numberOf is how an account is named in commands: its place among those of its owner.
func (g *Gateway) numberOf(a *account) string {
	for i, o := range g.accountsOf(a.owner) {
		if o == a {
			return strconv.Itoa(i + 1)
		}
	}
	return ""
}

// pick finds an account by what somebody wrote: its number, its name, or nothing where
// there is only one.
func (g *Gateway) pick(owner jid.JID, text string) *account {
	list := g.accountsOf(owner)
	text = strings.TrimSpace(text)
	if text == "" && len(list) == 1 {
		return list[0]
	}
	if n, err := strconv.Atoi(text); err == nil && n >= 1 && n <= len(list) {
		return list[n-1]
	}
	for _, a := range list {
		if strings.EqualFold(a.name(), text) || string(a.id) == text {
			return a
		}
	}
	return nil
}

// action is something that a person can tell the gateway to do: by an ad-hoc command of
// the node, or by writing the word, with an argument behind it.
type action struct {
	word  string
	name  string
	help  string
	admin bool
	any   bool // also for those without an account
	run   func(ctx context.Context, g *Gateway, c asked) (command.Step, error)
}

// asked is who asks for an action, and with what.
type asked struct {
	owner jid.JID
	arg   string
	chat  bool
}

// actions are all of them, in the order of the help.
var actions = []action{
	{"link", "Link an account", "link an account", false, true, runLink},
	{"relink", "Link an account again", "renew the credentials of an account", false, false, withAccount(runRelink)},
	{"unlink", "Unlink an account", "remove an account and all that belongs to it", false, false, withAccount(runUnlink)},
	{"status", "Accounts", "show your accounts and how they fare", false, false, runStatus},
	{"rooms", "Rooms", "list the rooms that you can join", false, false, runRooms},
	{"sync", "Read contacts and rooms again", "read contacts and rooms again", false, false, withAccount(runSync)},
	{"failed", "Events that failed", "list events that could not be shown", true, true, runFailed},
	{"replay", "Try failed events again", "try failed events again", true, true, runReplay},
}

// offered makes the ad-hoc commands (XEP-0050).
func (g *Gateway) offered() *command.Engine {
	e := command.NewEngine(command.Limits{Timeout: dialogueIdle}, g.now)
	for _, a := range actions {
		e.Add(command.Command{
			Node: a.word, Name: a.name, Desc: a.help,
			Allowed: func(_ context.Context, who command.Caller) bool { return g.offers(a, who.JID) },
			Run: func(ctx context.Context, who command.Caller) (command.Step, error) {
				return a.run(ctx, g, asked{owner: who.JID.Bare()})
			},
		})
	}
	return e
}

func (g *Gateway) offers(a action, who jid.JID) bool {
	switch {
	case a.admin:
		return g.set.isAdmin(who)
	case a.any:
		return g.set.mayUse(who)
	}
	return len(g.accountsOf(who)) > 0
}

// withAccount asks which account is meant where that is not clear.
func withAccount(run func(ctx context.Context, g *Gateway, a *account, c asked) (command.Step, error)) func(context.Context, *Gateway, asked) (command.Step, error) {
	return func(ctx context.Context, g *Gateway, c asked) (command.Step, error) {
		if a := g.pick(c.owner, c.arg); a != nil {
			return run(ctx, g, a, c)
		}
		list := g.accountsOf(c.owner)
		if len(list) == 0 {
			return command.Failed("You have no account here."), nil
		}
		f := form.New(form.Ask, "", "Which account?")
		var options []form.Option
		for _, a := range list {
			options = append(options, form.Option{Label: a.name(), Value: string(a.id)})
		}
		f.Choice("account", "Account", "", options...)
		f.Field("account").Required = true
		return command.Step{Form: f, Then: func(ctx context.Context, answers *form.Form) (command.Step, error) {
			a := g.pick(c.owner, answers.Get("account"))
			if a == nil {
				return command.Step{}, &form.FieldError{Var: "account", Label: "Account", Problem: "is not one of yours"}
			}
			return run(ctx, g, a, c)
		}}, nil
	}
}

func runLink(ctx context.Context, g *Gateway, c asked) (command.Step, error) {
	if e := g.mayLink(c.owner, nil); e != nil {
		return command.Failed(e.Text), nil
	}
	return g.chooseFlow(ctx, c, nil)
}

func runRelink(ctx context.Context, g *Gateway, a *account, c asked) (command.Step, error) {
	return g.chooseFlow(ctx, c, a)
}

// chooseFlow asks how to log in where there is more than one way.
func (g *Gateway) chooseFlow(ctx context.Context, c asked, previous *account) (command.Step, error) {
	flows := g.network.LoginFlows()
	for _, f := range flows {
		if strings.EqualFold(f.ID, lastWord(c.arg)) {
			return g.startLink(ctx, c.owner, f.ID, previous, c.chat)
		}
	}
	if len(flows) == 1 {
		return g.startLink(ctx, c.owner, flows[0].ID, previous, c.chat)
	}
	f := form.New(form.Ask, "", "How do you want to link your "+g.info.Name+" account?")
	var options []form.Option
	for _, flow := range flows {
		options = append(options, form.Option{Label: flow.Name, Value: flow.ID})
	}
	f.Choice("flow", "Way", flows[0].ID, options...)
	return command.Step{Form: f, Then: func(ctx context.Context, answers *form.Form) (command.Step, error) {
		return g.startLink(ctx, c.owner, answers.Get("flow"), previous, c.chat)
	}}, nil
}

func lastWord(s string) string {
	words := strings.Fields(s)
	if len(words) == 0 {
		return ""
	}
	return words[len(words)-1]
}

func runUnlink(_ context.Context, g *Gateway, a *account, _ asked) (command.Step, error) {
	f := form.New(form.Ask, "", "Unlink "+a.name())
	f.Instructions = []string{"Everything that belongs to this account is removed: its contacts, its rooms and their history here. Nothing is removed on " + g.info.Name + "."}
	f.Bool("sure", "Are you sure?", false)
	f.Field("sure").Required = true
	f.Field("sure").Values = nil
	return command.Ask(f, func(ctx context.Context, answers *form.Form) (command.Step, error) {
		if !answers.IsTrue("sure") {
			return command.Done("Nothing was changed."), nil
		}
		if err := g.unlink(ctx, a); err != nil {
			return command.Step{}, err
		}
		return command.Done("The account is unlinked."), nil
	}), nil
}

func runStatus(_ context.Context, g *Gateway, c asked) (command.Step, error) {
	list := g.accountsOf(c.owner)
	if len(list) == 0 {
		return command.Done("You have no account here."), nil
	}
	step := command.Step{}
	for i, a := range list {
		state, status, cause := a.standing()
		text := fmt.Sprintf("%d. %s: %s", i+1, a.name(), state)
		if status != tables.StatusLinked {
			text = fmt.Sprintf("%d. %s: has to be linked again: %s", i+1, a.name(), cause)
		}
		step.Notes = append(step.Notes, command.Note{Type: command.Info, Text: text})
	}
	return step, nil
}

const maxListed = 200 // rooms in an answer to a person

func runRooms(ctx context.Context, g *Gateway, c asked) (command.Step, error) {
	f := form.New(form.Result, "", "Rooms on "+g.info.Name)
	f.Reported = []form.Field{{Var: "jid", Type: form.JIDSingle, Label: "Address"}, {Var: "name", Type: form.TextSingle, Label: "Name"}}
	rooms, err := g.roomsOf(ctx, c.owner, maxListed)
	if err != nil {
		return command.Step{}, err
	}
	for _, r := range rooms {
		f.Items = append(f.Items, []form.Field{{Var: "jid", Values: []string{r.JID.String()}}, {Var: "name", Values: []string{r.Name}}})
	}
	step := command.Step{Form: f}
	if len(rooms) == 0 {
		step = command.Done("There are no rooms that you can see.")
	}
	return step, nil
}

func runSync(_ context.Context, g *Gateway, a *account, _ asked) (command.Step, error) {
	if !a.online() {
		return command.Failed(g.info.Name + " cannot be reached at the moment."), nil
	}
	if !g.spawn(func(ctx context.Context) { g.sync(ctx, a) }) {
		return command.Failed("The gateway is shutting down."), nil
	}
	return command.Done("Contacts and rooms are being read."), nil
}

const maxFailed = 100 // rows of one answer

func runFailed(ctx context.Context, g *Gateway, _ asked) (command.Step, error) {
	rows, err := g.store.FailedEvents(ctx, maxFailed)
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
			{Var: "at", Values: []string{r.At.UTC().Format("2006-01-02T15:04:05Z")}}, {Var: "error", Values: []string{cutBytes(reason, maxName)}},
		})
	}
	return command.Step{Form: f}, nil
}

func runReplay(ctx context.Context, g *Gateway, _ asked) (command.Step, error) {
	rows, err := g.store.FailedEvents(ctx, maxFailed)
	if err != nil {
		return command.Step{}, err
	}
	seqs := make([]int64, len(rows))
	for i, r := range rows {
		seqs[i] = r.Seq
	}
	rooms, err := g.store.Replay(ctx, seqs)
	if err != nil {
		return command.Step{}, err
	}
	for _, id := range rooms {
		g.poke(id, func(w *worker) bool { w.inbound = true; return true })
	}
	return command.Done(fmt.Sprintf("%d events are being tried again.", len(rows))), nil
}

// statusOf is for the log and the admin page.
func (a *account) statusOf() (transports.State, tables.Status) {
	state, status, _ := a.standing()
	return state, status
}
