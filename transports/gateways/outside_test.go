package gateways

import (
	"context"
	"strings"
	"testing"

	"github.com/dragoman-im/dragoman/config"
	"github.com/dragoman-im/dragoman/core/jid"
)

// A gateway that does not end in time is not started a second time beside itself: both would send the same messages.
func TestOutsideNotStartedTwice(t *testing.T) {
	t.Parallel()
	domain := jid.MustParse("echo.home.test")
	slow := &foreignServer{}
	slow.ended.Add(1)
	o := &outside{links: map[jid.JID]*foreignServer{domain: slow}}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if o.stop(ctx, domain) == nil {
		t.Error("a gateway that runs counts as stopped")
	}
	start := func() string {
		err := o.start(t.Context(), config.Config{}, enabled{kind: "echo", domain: domain})
		if err == nil {
			t.Fatal("it starts without a secret")
		}
		return err.Error()
	}
	if got := start(); !strings.Contains(got, "has not ended") {
		t.Errorf("while it runs: %s", got)
	}
	slow.ended.Done()
	if err := o.stop(t.Context(), domain); err != nil {
		t.Errorf("stopped again when it has ended: %v", err)
	}
	if got := start(); strings.Contains(got, "has not ended") || !strings.Contains(got, "secret") {
		t.Errorf("when it has ended: %s", got)
	}
}
