package demo

import (
	"strings"
	"testing"
)

func TestShortPath(t *testing.T) {
	t.Parallel()
	for path, want := range map[string]string{
		"/channels/1573439052617613316/messages":                                     "/channels/…/messages",
		"/webhooks/157/secret-secret-secret/messages/1573439052617613319":            "/webhooks/…/messages/…",
		"/channels/1/messages/2/reactions/%F0%9F%91%8D/@me":                          "/channels/…/messages/…/reactions/…/@me",
		"/webhooks/1573439052617613316/aVeryLongSecretTokenThatNobodyShouldEverSee1": "/webhooks/…",
	} {
		if got := shortPath(strings.Split(strings.Trim(path, "/"), "/")); got != want {
			t.Errorf("shortPath(%s) = %s, want %s", path, got, want)
		}
	}
}
