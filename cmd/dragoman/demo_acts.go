package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
)

// logIn opens the stream and comes online.
func (t *tour) logIn() error {
	t.begin("Log in as %s@%s, with STARTTLS and SCRAM-SHA-256", t.house.options.user, demoHost)
	ctx, cancel := t.patient()
	defer cancel()
	c, err := dialDemo(ctx, t.house)
	if err != nil {
		return fmt.Errorf("log in: %w", err)
	}
	t.client = c
	contacts, err := c.roster(ctx)
	if err != nil {
		return fmt.Errorf("ask for the contacts: %w", err)
	}
	if err := c.send(ctx, shown{}); err != nil {
		return fmt.Errorf("come online: %w", err)
	}
	t.done("the certificate is the one on disk; %s is online; contacts so far: %d", c.jid, len(contacts))
	return nil
}

func gatewayOf(w town) string { return w.kind() + "." + demoHost }

// link links an account by a chat with the gateway.
func (t *tour) link(w town) error {
	gateway := gatewayOf(w)
	t.begin("Link %s by writing to %s", w.name(), gateway)
	if err := t.until(gateway+" does not answer", func(ctx context.Context) error { return t.client.answers(ctx, gateway) }); err != nil {
		return err
	}
	if err := t.unlinkOld(gateway); err != nil {
		return err
	}
	tokens := w.tokens(false)
	text, masked := "link", "link"
	for _, c := range tokens {
		if err := t.converse(gateway, text, masked, c.asked); err != nil {
			return err
		}
		text, masked = c.value, mask(c.value)
	}
	if err := t.converse(gateway, text, masked, "is linked"); err != nil {
		return err
	}
	t.done("the tokens are sealed on disk")
	return nil
}

// unlinkOld removes what an earlier demo has linked: the stand-ins are new each time.
func (t *tour) unlinkOld(gateway string) error {
	if t.house.temporary {
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
		if err := t.converse(gateway, "unlink 1", "unlink 1", "yes or no"); err != nil {
			return err
		}
		if err := t.converse(gateway, "yes", "yes", "is unlinked"); err != nil {
			return err
		}
	}
}

// converse writes to the gateway and prints what it says until it has said what is expected.
func (t *tour) converse(gateway, text, masked, expected string) error {
	after := t.client.count()
	t.speech("you → "+gateway, masked)
	if err := t.send(said{To: gateway, ID: newID(), Type: "chat", Body: text}); err != nil {
		return err
	}
	ctx, cancel := t.patient()
	defer cancel()
	for {
		r, next, err := t.client.await(ctx, after, func(r *received) bool {
			return r.is("message") && r.From == gateway && (r.Body != "" || r.Type == "error")
		})
		switch {
		case err != nil:
			return fmt.Errorf("%s did not say %s within %s", gateway, quoted(expected), tourPatience)
		case r.Type == "error":
			return fmt.Errorf("%s refuses: %w", gateway, refusal(r))
		}
		after = next
		t.speech(gateway, r.Body)
		if strings.Contains(r.Body, expected) {
			return nil
		}
	}
}

// mask shows the beginning of a secret.
func mask(secret string) string { return secret[:min(len(secret), 9)] + "…" }

// meet waits until the people are contacts.
func (t *tour) meet(w town) error {
	t.begin("People of %s arrive as contacts", w.name())
	var names []string
	err := t.until("the contacts did not arrive", func(ctx context.Context) error {
		contacts, err := t.client.roster(ctx)
		if err != nil {
			return err
		}
		names = names[:0]
		for _, p := range w.people() {
			address := w.address(p) + "@" + gatewayOf(w)
			i := slices.IndexFunc(contacts, func(c contact) bool { return c.JID == address && c.Name == p.name })
			if i < 0 {
				return fmt.Errorf("%s (%s) is not among the %d contacts", p.name, address, len(contacts))
			}
			if !slices.Contains(contacts[i].Groups, w.group()) {
				return fmt.Errorf("%s is in the groups %q", p.name, contacts[i].Groups)
			}
			names = append(names, p.name)
		}
		return nil
	})
	if err != nil {
		return err
	}
	t.done("in the group %s: %s", w.group(), strings.Join(names, ", "))
	friend := w.people()[0]
	address := w.address(friend) + "@" + gatewayOf(w)
	if _, err := t.await(0, "the presence of "+friend.name, func(r *received) bool {
		return r.is("presence") && r.Type == "" && bare(r.From) == address
	}); err != nil {
		return err
	}
	t.done("%s (%s) is online", friend.name, address)
	return nil
}

// write writes to somebody and waits for the answer.
func (t *tour) write(w town) error {
	friend := w.people()[0]
	t.begin("Write to %s", friend.name)
	address := w.address(friend) + "@" + gatewayOf(w)
	after, text := t.client.count(), "Good morning! Is there anything to celebrate today?"
	t.speech("you → "+friend.name, text)
	if err := t.send(said{To: address, ID: newID(), Type: "chat", Body: text}); err != nil {
		return err
	}
	if err := t.arrives(w, w.direct(friend), text); err != nil {
		return err
	}
	answer, err := t.await(after, "the answer of "+friend.name, func(r *received) bool {
		return r.is("message") && bare(r.From) == address && (r.Body != "" || r.Type == "error")
	})
	if err != nil {
		return err
	}
	if answer.Type == "error" {
		return fmt.Errorf("the message to %s came back: %w", friend.name, refusal(answer))
	}
	t.speech(friend.name, answer.Body)
	if !friend.corrects {
		return nil
	}
	better, err := t.await(after, "the correction by "+friend.name, func(r *received) bool {
		return bare(r.From) == address && r.Replaces.ID == answer.ID
	})
	if err == nil {
		t.speech(friend.name, better.Body)
		t.done("the second message replaces the first one (XEP-0308): %s had mistyped", friend.name)
	}
	return err
}

// bare is an address without its resource.
func bare(address string) string {
	address, _, _ = strings.Cut(address, "/")
	return address
}
