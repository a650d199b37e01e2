package abuse

import (
	"context"

	"github.com/dragoman-im/dragoman/core/command"
	"github.com/dragoman-im/dragoman/core/form"
	"github.com/dragoman-im/dragoman/core/jid"
)

// policyCommand lets accounts choose what they accept from strangers.
func (a *Abuse) policyCommand() command.Command {
	return command.Command{
		Node: "strangers", Name: "Messages from strangers", Desc: "What you accept from addresses that you do not know.",
		Allowed: func(_ context.Context, who command.Caller) bool {
			return who.JID.Local() != "" && who.JID.Domain() == a.host.Domain().Domain()
		},
		Run: func(ctx context.Context, who command.Caller) (command.Step, error) {
			account := who.JID.Bare()
			chosen, err := a.policies.StrangerPolicy(ctx, account)
			if err != nil {
				return command.Step{}, err
			}
			if chosen == "" {
				chosen = a.Policy
			}
			f := form.New(form.Ask, "", "Messages from strangers")
			f.Choice("policy", "From those who are not among your contacts, and to whom you have not written", string(chosen),
				form.Option{Label: "A few messages, until you answer", Value: string(Limit)},
				form.Option{Label: "All messages", Value: string(Accept)},
				form.Option{Label: "No messages; they may ask to become contacts", Value: string(Refuse)})
			return command.Ask(f, func(ctx context.Context, answers *form.Form) (command.Step, error) {
				return a.choose(ctx, account, Policy(answers.Get("policy")))
			}), nil
		},
	}
}

func (a *Abuse) choose(ctx context.Context, account jid.JID, p Policy) (command.Step, error) {
	if p != Limit && p != Accept && p != Refuse {
		return command.Failed("Choose one of the three."), nil
	}
	if err := a.policies.SetStrangerPolicy(ctx, account, p); err != nil {
		return command.Step{}, err
	}
	if c := a.contacts.Loaded(a.host.Local(account)); c != nil {
		c.choose(p)
	} else {
		a.contacts.Invalidate(a.host.Local(account)) // a load that is under way reads it again
	}
	return command.Done("It is in force from now on."), nil
}

func (c *contacts) choose(p Policy) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.chosen = p
}
