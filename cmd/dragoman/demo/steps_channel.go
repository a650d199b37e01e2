package demo

import (
	"context"
	"fmt"
	"strings"
)

// joinedRoom is a channel that the tour has joined.
type joinedRoom struct {
	network *network
	channel conversation
	jid     string
	nick    string
}

// useChannel joins a channel, and writes, edits and deletes in it.
func (t *tour) useChannel(n *network) error {
	r := &joinedRoom{network: n, channel: n.channels[0]}
	t.startStep("Find the channel %s, and join it", r.channel.name)
	if err := t.find(r); err != nil {
		return err
	}
	if err := t.joinRoom(r); err != nil {
		return err
	}
	t.startStep("Write a message in %s, edit it, delete it", r.channel.name)
	if err := t.writeInRoom(r); err != nil {
		return err
	}
	t.startStep("%s writes a message in %s, edits it, deletes it", n.users[1].name, r.channel.name)
	if err := t.watch(r); err != nil {
		return err
	}
	return t.client.send(t.ctx, outPresence{To: r.jid + "/" + r.nick, Type: "unavailable"})
}

// find looks for the channel among the items of the gateway (XEP-0030).
func (t *tour) find(r *joinedRoom) error {
	gateway := gatewayOf(r.network)
	return t.retry(r.channel.name+" is not listed", func(ctx context.Context) error {
		items, err := t.client.items(ctx, gateway)
		if err != nil {
			return err
		}
		var names []string
		for _, i := range items {
			names = append(names, "#"+strings.TrimPrefix(i.Name, "#"))
			if names[len(names)-1] == r.channel.name {
				r.jid = i.JID
			}
		}
		if r.jid == "" {
			return fmt.Errorf("%s lists %q", gateway, names)
		}
		t.confirm("%s lists %s", gateway, strings.Join(names, ", "))
		return nil
	})
}

// maxHistory is how many earlier messages the tour requests.
const maxHistory = 5

// joinRoom joins the room (XEP-0045 §7.2): presence of the occupants comes first, then one's own, the
// history, and the subject last.
func (t *tour) joinRoom(r *joinedRoom) error {
	after := t.client.count()
	request := outPresence{To: r.jid + "/visitor", MUC: &joinRequest{}}
	request.MUC.History.Stanzas = maxHistory
	if err := t.client.send(t.ctx, request); err != nil {
		return err
	}
	var occupants, before []string
	_, err := t.await(after, "the subject of "+r.channel.name, func(s *received) bool {
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
			occupants = append(occupants, nick)
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
		return fmt.Errorf("%s cannot be joined: %w", r.channel.name, refusal(refused))
	}
	t.confirm("%s is %s; you are %s there, with %s", r.channel.name, r.jid, r.nick, strings.Join(occupants, ", "))
	for _, l := range before {
		t.printMessage("earlier", l)
	}
	return nil
}

// writeInRoom sends a message, gets an answer, edits the message and deletes it.
func (t *tour) writeInRoom(r *joinedRoom) error {
	after := t.client.count()
	first, second := "Hello from XMPP! Does anybdoy read this?", "Hello from XMPP! Does anybody read this?"
	id := newID()
	t.printMessage("you in "+r.channel.name, first)
	if err := t.send(outMessage{To: r.jid, ID: id, Type: "groupchat", Body: first}); err != nil {
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
	if err := t.awaitShown(r.network, r.channel, first); err != nil {
		return err
	}
	answer, err := t.await(after, "an answer in "+r.channel.name, func(s *received) bool {
		return s.is("message") && bare(s.From) == r.jid && s.From != r.jid+"/"+r.nick && s.Body != ""
	})
	if err != nil {
		return err
	}
	_, who, _ := strings.Cut(answer.From, "/")
	t.printMessage(who, answer.Body)

	t.pause()
	t.printMessage("you, editing", second)
	if err := t.send(outMessage{To: r.jid, ID: newID(), Type: "groupchat", Body: second, Replaces: &messageID{id}}); err != nil {
		return err
	}
	if err := t.awaitShown(r.network, r.channel, second); err != nil {
		return err
	}
	if err := t.awaitGone(r.network, r.channel, first); err != nil {
		return err
	}

	t.pause()
	t.printMessage("you, deleting", "(nothing)")
	if err := t.send(outMessage{
		To: r.jid, ID: newID(), Type: "groupchat", Retracts: &messageID{own.by(r.jid)}, Fallback: &struct{}{},
		Body: "This message was deleted, which your client cannot show.",
	}); err != nil {
		return err
	}
	if err := t.awaitGone(r.network, r.channel, second); err != nil {
		return err
	}
	t.confirm("%s does not show it any longer", r.network.name)
	return nil
}

// watch receives what a user of the network writes, edits and deletes.
func (t *tour) watch(r *joinedRoom) error {
	u := r.network.users[1]
	after := t.client.count()
	first, second := "Meeting at tne?", "Meeting at ten?"
	n, err := r.network.actions.send(u, r.channel, first)
	if err != nil {
		return err
	}
	from := r.jid + "/" + u.name
	wrote, err := t.await(after, "the message of "+u.name, func(s *received) bool { return s.From == from && s.Body == first })
	if err != nil {
		return err
	}
	t.printMessage(u.name, wrote.Body)

	t.pause()
	if err := r.network.actions.edit(u, n, second); err != nil {
		return err
	}
	better, err := t.await(after, "the edit by "+u.name, func(s *received) bool { return s.From == from && s.Body == second })
	if err != nil {
		return err
	}
	if better.Replaces.ID != wrote.ID {
		return fmt.Errorf("the edit replaces %q instead of %q", better.Replaces.ID, wrote.ID)
	}
	t.printMessage(u.name, better.Body)
	t.confirm("a client shows one message, edited (XEP-0308)")

	t.pause()
	if err := r.network.actions.remove(u, n); err != nil {
		return err
	}
	if _, err := t.await(after, "the deletion by "+u.name, func(s *received) bool {
		return s.Retracts.ID != "" && (s.Retracts.ID == wrote.ID || s.Retracts.ID == wrote.by(r.jid))
	}); err != nil {
		return err
	}
	t.confirm("a client shows that it is deleted (XEP-0424)")
	return nil
}
