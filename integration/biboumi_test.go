package integration_test

import (
	"context"
	"os"
	"testing"

	"github.com/dragoman-im/dragoman/integration/peers"
	"github.com/dragoman-im/dragoman/integration/play"
)

// biboumiPlay is a play whose stage has a biboumi attached and an IRC server behind it.
func biboumiPlay(t *testing.T) (*play.Play, peers.Component) {
	t.Helper()
	peers.Need(t, "biboumi")
	peers.Need(t, "ngircd")
	text, err := os.ReadFile("scenarios/peers/biboumi.play")
	if err != nil {
		t.Fatal(err)
	}
	p, err := play.Parse("biboumi", string(text))
	if err != nil {
		t.Fatal(err)
	}
	return p, peers.Component{Domain: "irc." + playHost, Secret: "chat relay"}
}

func performBiboumi(t *testing.T, p *play.Play, server *peers.Server, c peers.Component) {
	t.Helper()
	ircd := peers.StartIRC(t)
	peers.StartBiboumi(t, server, c)
	stage := stageOn(server, nil)
	stage.Log = t.Logf
	stage.Vars = map[string]string{"irc": c.Domain, "ircd": ircd}
	waitComponent(t, server, p.Roles[0], c.Domain)
	if err := play.Run(t.Context(), p, stage); err != nil {
		t.Fatal(err)
	}
}

// waitComponent returns once a component answers a user.
func waitComponent(t *testing.T, server *peers.Server, role play.Role, domain string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), peerPatience)
	defer cancel()
	conn, err := server.Dial(ctx, peers.Account{User: role.Account(), Password: role.Secret}, "waiting")
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Drop()
	err = peers.Poll(ctx, func() error {
		answer, err := ask(ctx, conn, domain, "<query xmlns='http://jabber.org/protocol/disco#info'/>")
		if err == nil && answer.Attr("type") != "result" {
			err = errorOf(answer)
		}
		return err
	})
	if err != nil {
		t.Fatalf("component %s does not answer: %v", domain, err)
	}
}

func TestBiboumiOnProsody(t *testing.T) {
	t.Parallel()
	p, c := biboumiPlay(t)
	setup := setupFor(p)
	setup.Components = []peers.Component{c}
	performBiboumi(t, p, &peers.StartProsody(t, setup).Server, c)
}

func TestBiboumi(t *testing.T) {
	t.Parallel()
	p, c := biboumiPlay(t)
	setup := setupFor(p)
	setup.Components = []peers.Component{c}
	performBiboumi(t, p, &peers.StartDragoman(t, peers.Options{Setup: setup}).Server, c)
}
