package main

import (
	"context"
	"fmt"
	"strings"
)

// demoRoom is a channel that the tour is in.
type demoRoom struct {
	town  town
	where place
	jid   string
	nick  string
}

// join finds a channel, and writes, edits and deletes in it.
func (t *tour) join(w town) error {
	r := &demoRoom{town: w, where: w.places()[0]}
	t.begin("Find the channel %s, and join it", r.where.name)
	if err := t.find(r); err != nil {
		return err
	}
	if err := t.enter(r); err != nil {
		return err
	}
	t.begin("Say something in %s, edit it, take it back", r.where.name)
	if err := t.speak(r); err != nil {
		return err
	}
	t.begin("%s writes in %s, edits it, deletes it", w.people()[1].name, r.where.name)
	if err := t.watch(r); err != nil {
		return err
	}
	return t.client.send(t.ctx, shown{To: r.jid + "/" + r.nick, Type: "unavailable"})
}

// find looks for the channel in what the gateway offers (XEP-0030).
func (t *tour) find(r *demoRoom) error {
	gateway := gatewayOf(r.town)
	return t.until(r.where.name+" is not offered", func(ctx context.Context) error {
		items, err := t.client.items(ctx, gateway)
		if err != nil {
			return err
		}
		var names []string
		for _, i := range items {
			names = append(names, "#"+strings.TrimPrefix(i.Name, "#"))
			if names[len(names)-1] == r.where.name {
				r.jid = i.JID
			}
		}
		if r.jid == "" {
			return fmt.Errorf("%s lists %q", gateway, names)
		}
		t.done("%s lists %s", gateway, strings.Join(names, ", "))
		return nil
	})
}

// history is how many earlier messages the tour asks for.
const history = 5

// enter joins the room (XEP-0045 §7.2): the people who are in it come first, then oneself, the
// history, and the subject as the last.
func (t *tour) enter(r *demoRoom) error {
	after := t.client.count()
	hello := shown{To: r.jid + "/tourist", MUC: &entry{}}
	hello.MUC.History.Stanzas = history
	if err := t.client.send(t.ctx, hello); err != nil {
		return err
	}
	var people, before []string
	_, err := t.await(after, "the way into "+r.where.name, func(s *received) bool {
		if bare(s.From) != r.jid {
			return false
		}
		_, nick, _ := strings.Cut(s.From, "/")
		switch {
		case s.Type == "error":
			return true
		case s.is("presence") && s.self():
			r.nick = nick
		case s.is("presence"):
			people = append(people, nick)
		case s.Delay != nil && s.Body != "":
			before = append(before, nick+": "+s.Body)
		}
		return s.is("message") && s.Subject != nil && s.Body == ""
	})
	if err != nil {
		return err
	}
	if r.nick == "" {
		refused, err := t.await(after, "an answer", func(s *received) bool { return bare(s.From) == r.jid && s.Type == "error" })
		if err != nil {
			return err
		}
		return fmt.Errorf("%s lets nobody in: %w", r.where.name, refusal(refused))
	}
	t.done("%s is %s; you are %s there, with %s", r.where.name, r.jid, r.nick, strings.Join(people, ", "))
	for _, l := range before {
		t.speech("earlier", l)
	}
	return nil
}

// speak says something, gets an answer, edits it and takes it back.
func (t *tour) speak(r *demoRoom) error {
	after := t.client.count()
	first, second := "Hello from XMPP! Does anybdoy read this?", "Hello from XMPP! Does anybody read this?"
	id := newID()
	t.speech("you in "+r.where.name, first)
	if err := t.send(said{To: r.jid, ID: id, Type: "groupchat", Body: first}); err != nil {
		return err
	}
	own, err := t.await(after, "the room's copy of the message", func(s *received) bool {
		return s.is("message") && bare(s.From) == r.jid && (s.ID == id || s.Body == first)
	})
	if err != nil {
		return err
	}
	if own.Type == "error" {
		return fmt.Errorf("the message came back: %w", refusal(own))
	}
	if err := t.arrives(r.town, r.where, first); err != nil {
		return err
	}
	answer, err := t.await(after, "an answer in "+r.where.name, func(s *received) bool {
		return s.is("message") && bare(s.From) == r.jid && s.From != r.jid+"/"+r.nick && s.Body != ""
	})
	if err != nil {
		return err
	}
	_, who, _ := strings.Cut(answer.From, "/")
	t.speech(who, answer.Body)

	t.rest()
	t.speech("you, editing", second)
	if err := t.send(said{To: r.jid, ID: newID(), Type: "groupchat", Body: second, Replaces: &named{id}}); err != nil {
		return err
	}
	if err := t.arrives(r.town, r.where, second); err != nil {
		return err
	}
	if err := t.goes(r.town, r.where, first); err != nil {
		return err
	}

	t.rest()
	t.speech("you, taking it back", "(nothing)")
	if err := t.send(said{
		To: r.jid, ID: newID(), Type: "groupchat", Retracts: &named{own.by(r.jid)}, Fallback: &struct{}{},
		Body: "This message was taken back, which your client cannot show.",
	}); err != nil {
		return err
	}
	if err := t.goes(r.town, r.where, second); err != nil {
		return err
	}
	t.done("%s does not show it any longer", r.town.name())
	return nil
}

// watch sees somebody of the network write, edit and delete.
func (t *tour) watch(r *demoRoom) error {
	p := r.town.people()[1]
	after := t.client.count()
	first, second := "Meeting at tne?", "Meeting at ten?"
	n, err := r.town.say(p, r.where, first)
	if err != nil {
		return err
	}
	from := r.jid + "/" + p.name
	wrote, err := t.await(after, "the message of "+p.name, func(s *received) bool { return s.From == from && s.Body == first })
	if err != nil {
		return err
	}
	t.speech(p.name, wrote.Body)

	t.rest()
	if err := r.town.edit(p, n, second); err != nil {
		return err
	}
	better, err := t.await(after, "the edit by "+p.name, func(s *received) bool { return s.From == from && s.Body == second })
	if err != nil {
		return err
	}
	if better.Replaces.ID != wrote.ID {
		return fmt.Errorf("the edit replaces %q instead of %q", better.Replaces.ID, wrote.ID)
	}
	t.speech(p.name, better.Body)
	t.done("your client shows one message, edited (XEP-0308)")

	t.rest()
	if err := r.town.remove(p, n); err != nil {
		return err
	}
	if _, err := t.await(after, "the deletion by "+p.name, func(s *received) bool {
		return s.Retracts.ID != "" && (s.Retracts.ID == wrote.ID || s.Retracts.ID == wrote.by(r.jid))
	}); err != nil {
		return err
	}
	t.done("your client shows that it is gone (XEP-0424)")
	return nil
}
