package integration_test

import (
	"context"
	"strings"
	"testing"

	"github.com/dragoman-im/dragoman/integration/peers"
)

// TestSlixmppPublishes has slixmpp publish an avatar to a contact (XEP-0163, XEP-0084), and use nodes of the host's service
// (XEP-0060) as its plugins do.
func TestSlixmppPublishes(t *testing.T) {
	t.Parallel()
	server := &peers.StartDragoman(t, peers.Options{Setup: foreignSetup}).Server // it may have to be built
	ctx, cancel := context.WithTimeout(t.Context(), 2*peerTimeout)
	defer cancel()
	sally, simon := peers.StartSlixmpp(t), peers.StartSlixmpp(t)
	for i, s := range []*peers.Slixmpp{sally, simon} {
		if err := s.Login(ctx, server, foreignSetup.Accounts[i]); err != nil {
			t.Fatal(err)
		}
	}
	do := func(s *peers.Slixmpp, what string, args map[string]any, result any) {
		t.Helper()
		if err := s.Do(ctx, what, args, result); err != nil {
			t.Fatalf("%s: %v", what, err)
		}
	}
	const atSally, atSimon = "sally@" + testHost, "simon@" + testHost
	has := func(parts ...string) func(peers.Event) bool {
		return func(e peers.Event) bool {
			for _, part := range parts {
				if !strings.Contains(e.Raw, part) {
					return false
				}
			}
			return true
		}
	}
	for _, step := range []struct {
		s   *peers.Slixmpp
		to  string
		typ string
	}{{simon, atSally, "subscribe"}, {sally, atSimon, "subscribed"}, {sally, atSimon, "subscribe"}, {simon, atSally, "subscribed"}} {
		do(step.s, "presence", map[string]any{"to": step.to, "type": step.typ}, nil)
		do(step.s, "ping", map[string]any{"to": testHost}, nil)
	}

	// Simon's client wants to know avatars: the server finds that out from its capabilities.
	var avatar struct{ ID string }
	do(sally, "avatar", map[string]any{"text": "an image"}, &avatar)
	await(ctx, t, simon, has("urn:xmpp:avatar:metadata", avatar.ID))
	var image struct{ Text string }
	do(simon, "avatar_of", map[string]any{"of": atSally, "id": avatar.ID}, &image)
	if image.Text != "an image" {
		t.Errorf("the avatar is %q", image.Text)
	}
	var card struct{ Photo bool }
	do(simon, "vcard", map[string]any{"of": atSally}, &card)
	if !card.Photo {
		t.Error("the vCard has no photo")
	}

	const service = "pubsub." + testHost
	node := func(s *peers.Slixmpp, what string, result any) {
		t.Helper()
		do(s, "node", map[string]any{"to": service, "node": "news", "step": what}, result)
	}
	node(sally, "create", nil)
	node(sally, "configure", nil)
	var subscription struct{ State string }
	if node(simon, "subscribe", &subscription); subscription.State != "subscribed" {
		t.Errorf("the subscription is %q", subscription.State)
	}
	for _, id := range []string{"one", "two", "three"} {
		do(sally, "publish", map[string]any{"to": service, "node": "news", "id": id, "text": "text " + id, "options": map[string]any{"pubsub#persist_items": "true"}}, nil)
		await(ctx, t, simon, has("pubsub#event", "text "+id))
	}
	var found struct{ Items []struct{ ID, Text string } }
	do(simon, "node_items", map[string]any{"of": service, "node": "news", "max_items": 2}, &found)
	if len(found.Items) != 2 || found.Items[1].ID != "three" || found.Items[1].Text != "text three" {
		t.Errorf("items: %+v", found.Items)
	}
	do(sally, "retract_item", map[string]any{"to": service, "node": "news", "id": "two"}, nil)
	await(ctx, t, simon, has("pubsub#event", "retract", "two"))
	node(sally, "purge", nil)
	node(simon, "unsubscribe", nil)
	node(sally, "delete", nil)
	if err := simon.Do(ctx, "node_items", map[string]any{"of": service, "node": "news"}, nil); err == nil || !strings.Contains(err.Error(), "item-not-found") {
		t.Errorf("items of a deleted node: %v", err)
	}
}
