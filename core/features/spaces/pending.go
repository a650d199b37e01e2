package spaces

import (
	"context"
	"strconv"

	"github.com/dragoman-im/dragoman/core/command"
	"github.com/dragoman-im/dragoman/core/form"
	"github.com/dragoman-im/dragoman/core/pubsub"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// Names of the form of pending subscriptions (XEP-0060 §8.7.2).
const (
	nsAuthorization = pubsub.NS + "#subscribe_authorization"
	fieldNode       = "pubsub#node"
)

// decides reports whether somebody owns a node (XEP-0060 §8.7.3.3).
func (s *Spaces) decides(ctx context.Context, who command.Caller) bool {
	_, owns, err := s.Nodes.Waiting(ctx, who.To.Bare(), who.JID)
	return owns && err == nil
}

// pending asks for a node, and sends the subscriptions that wait for the owner's decision (XEP-0060 §8.7).
func (s *Spaces) pending(ctx context.Context, who command.Caller) (command.Step, error) {
	list, _, err := s.Nodes.Waiting(ctx, who.To.Bare(), who.JID)
	switch {
	case err != nil:
		return command.Step{}, err
	case len(list) == 0:
		return command.Done("Nobody waits for your decision."), nil
	}
	var options []form.Option
	for _, node := range list[:min(len(list), maxChoices)] {
		options = append(options, form.Option{Value: node})
	}
	f := form.New(form.Ask, nsAuthorization, "Requests for subscriptions")
	f.Add(form.Field{Var: fieldNode, Type: form.ListSingle, Label: "Node", Required: true, Options: options})
	return command.Ask(f, func(ctx context.Context, answers *form.Form) (command.Step, error) {
		r := &pubsub.Request{Stanza: &stanza.Stanza{Kind: stanza.IQ, Type: stanza.TypeSet, From: who.JID, To: who.To.Bare()}, Service: who.To.Bare(), Route: s.Route}
		n, err := s.Nodes.SendPending(ctx, r, answers.Get(fieldNode))
		if err != nil {
			return command.Step{}, err
		}
		return command.Done(strconv.Itoa(n) + " requests have been sent to you."), nil
	}), nil
}
