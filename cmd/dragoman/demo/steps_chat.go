package demo

import (
	"context"
	"fmt"
	"slices"
	"strings"
)

// logIn opens a stream, reads the roster and sends presence.
func (t *tour) logIn() error {
	t.startStep("Log in as %s@%s, with STARTTLS and SCRAM-SHA-256", t.server.options.user, servedHost)
	ctx, cancel := t.withTimeout()
	defer cancel()
	c, err := dialClient(ctx, t.server)
	if err != nil {
		return fmt.Errorf("log in: %w", err)
	}
	t.client = c
	contacts, err := c.roster(ctx)
	if err != nil {
		return fmt.Errorf("request the roster: %w", err)
	}
	if err := c.send(ctx, outPresence{}); err != nil {
		return fmt.Errorf("send presence: %w", err)
	}
	t.confirm("the certificate is the one on disk; logged in as %s; contacts so far: %d", c.jid, len(contacts))
	return nil
}

func gatewayOf(n *network) string { return n.kind + "." + servedHost }

// link links a login by a chat with the gateway.
func (t *tour) link(n *network) error {
	gateway := gatewayOf(n)
	t.startStep("Link %s by writing to %s", n.name, gateway)
	if err := t.retry(gateway+" does not answer", func(ctx context.Context) error { return t.client.answers(ctx, gateway) }); err != nil {
		return err
	}
	if err := t.unlinkOld(gateway); err != nil {
		return err
	}
	text, masked := "link", "link"
	for _, c := range n.credentials {
		if err := t.chatWithGateway(gateway, text, masked, c.question); err != nil {
			return err
		}
		text, masked = c.value, mask(c.value)
	}
	if err := t.chatWithGateway(gateway, text, masked, "is linked"); err != nil {
		return err
	}
	t.confirm("the tokens are stored encrypted")
	return nil
}

// unlinkOld removes the logins of an earlier demo in the same data directory: the fake servers start empty each
// time, so their tokens are not valid any more.
func (t *tour) unlinkOld(gateway string) error {
	if t.server.temporary {
		return nil
	}
	for {
		contacts, err := t.client.roster(t.ctx)
		if err != nil {
			return err
		}
		if !slices.ContainsFunc(contacts, func(c contact) bool { return c.JID == gateway }) {
			return nil
		}
		if err := t.chatWithGateway(gateway, "unlink 1", "unlink 1", "yes or no"); err != nil {
			return err
		}
		if err := t.chatWithGateway(gateway, "yes", "yes", "is unlinked"); err != nil {
			return err
		}
	}
}

// chatWithGateway writes to the gateway and prints its answers until one contains the expected text. masked is printed
// instead of text.
func (t *tour) chatWithGateway(gateway, text, masked, expected string) error {
	after := t.client.count()
	t.printMessage("you → "+gateway, masked)
	if err := t.send(outMessage{To: gateway, ID: newID(), Type: "chat", Body: text}); err != nil {
		return err
	}
	ctx, cancel := t.withTimeout()
	defer cancel()
	for {
		r, next, err := t.client.await(ctx, after, func(r *received) bool {
			return r.is("message") && r.From == gateway && (r.Body != "" || r.Type == "error")
		})
		switch {
		case err != nil:
			return fmt.Errorf("%s did not answer %s within %s", gateway, quoted(expected), stepTimeout)
		case r.Type == "error":
			return fmt.Errorf("%s refuses: %w", gateway, refusal(r))
		}
		after = next
		t.printMessage(gateway, r.Body)
		if strings.Contains(r.Body, expected) {
			return nil
		}
	}
}

// mask shows the beginning of a secret.
func mask(secret string) string { return secret[:min(len(secret), 9)] + "…" }

// awaitContacts waits until the network's users are contacts.
func (t *tour) awaitContacts(n *network) error {
	t.startStep("The users of %s become contacts", n.name)
	var names []string
	err := t.retry("the contacts did not arrive", func(ctx context.Context) error {
		contacts, err := t.client.roster(ctx)
		if err != nil {
			return err
		}
		names = names[:0]
		for _, p := range n.users {
			address := n.names.userAddress(p) + "@" + gatewayOf(n)
			i := slices.IndexFunc(contacts, func(c contact) bool { return c.JID == address && c.Name == p.name })
			if i < 0 {
				return fmt.Errorf("%s (%s) is not among the %d contacts", p.name, address, len(contacts))
			}
			if !slices.Contains(contacts[i].Groups, n.group) {
				return fmt.Errorf("%s is in the groups %q", p.name, contacts[i].Groups)
			}
			names = append(names, p.name)
		}
		return nil
	})
	if err != nil {
		return err
	}
	t.confirm("in the group %s: %s", n.group, strings.Join(names, ", "))
	friend := n.users[0]
	address := n.names.userAddress(friend) + "@" + gatewayOf(n)
	if _, err := t.await(0, "the presence of "+friend.name, func(r *received) bool {
		return r.is("presence") && r.Type == "" && bare(r.From) == address
	}); err != nil {
		return err
	}
	t.confirm("%s (%s) is online", friend.name, address)
	return nil
}

// chat writes to a user and waits for the answer.
func (t *tour) chat(n *network) error {
	friend := n.users[0]
	t.startStep("Write to %s", friend.name)
	address := n.names.userAddress(friend) + "@" + gatewayOf(n)
	after, text := t.client.count(), "Good morning! Is there anything to celebrate today?"
	t.printMessage("you → "+friend.name, text)
	if err := t.send(outMessage{To: address, ID: newID(), Type: "chat", Body: text}); err != nil {
		return err
	}
	if err := t.awaitShown(n, n.names.direct(friend), text); err != nil {
		return err
	}
	answer, err := t.await(after, "the answer of "+friend.name, func(r *received) bool {
		return r.is("message") && bare(r.From) == address && (r.Body != "" || r.Type == "error")
	})
	if err != nil {
		return err
	}
	if answer.Type == "error" {
		return fmt.Errorf("the message to %s was returned with an error: %w", friend.name, refusal(answer))
	}
	t.printMessage(friend.name, answer.Body)
	if !friend.makesTypos {
		return nil
	}
	correction, err := t.await(after, "the correction by "+friend.name, func(r *received) bool {
		return bare(r.From) == address && r.Replaces.ID == answer.ID
	})
	if err == nil {
		t.printMessage(friend.name, correction.Body)
		t.confirm("the second message replaces the first one (XEP-0308): %s corrects a typo", friend.name)
	}
	return err
}

// bare returns an address without its resource.
func bare(address string) string {
	address, _, _ = strings.Cut(address, "/")
	return address
}
