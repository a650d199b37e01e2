package integration_test

import (
	"context"
	"os"
	"testing"

	"github.com/dragoman-im/dragoman/integration/client"
	"github.com/dragoman-im/dragoman/integration/peers"
	"github.com/dragoman-im/dragoman/integration/scenario"
)

// biboumiScenario is a scenario that needs biboumi, attached as a component, and an IRC server.
func biboumiScenario(t *testing.T) (*scenario.Scenario, peers.Component) {
	t.Helper()
	peers.Need(t, "biboumi")
	peers.Need(t, "ngircd")
	text, err := os.ReadFile("scenarios/peers/biboumi.scenario")
	if err != nil {
		t.Fatal(err)
	}
	p, err := scenario.Parse("biboumi", string(text))
	if err != nil {
		t.Fatal(err)
	}
	return p, peers.Component{Domain: "irc." + testHost, Secret: "chat relay"}
}

func runBiboumi(t *testing.T, p *scenario.Scenario, server *peers.Server, c peers.Component) {
	t.Helper()
	ircd := peers.StartIRC(t)
	peers.StartBiboumi(t, server, c)
	target := targetFor(server, nil)
	target.Log = t.Logf
	target.Vars = map[string]string{"irc": c.Domain, "ircd": ircd}
	waitComponent(t, server, p.Participants[0], c.Domain)
	if err := scenario.Run(t.Context(), p, target); err != nil {
		t.Fatal(err)
	}
}

// waitComponent returns when a component answers a user.
func waitComponent(t *testing.T, server *peers.Server, participant scenario.Participant, domain string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), peerTimeout)
	defer cancel()
	conn, err := server.Dial(ctx, peers.Account{User: participant.Account(), Password: participant.Secret}, "waiting")
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Drop()
	awaitAnswer(ctx, t, conn, domain)
}

// awaitAnswer waits until a component answers.
func awaitAnswer(ctx context.Context, t *testing.T, conn *client.Conn, domain string) {
	t.Helper()
	err := peers.Poll(ctx, func() error {
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
	p, c := biboumiScenario(t)
	setup := setupOf(p)
	setup.Components = []peers.Component{c}
	runBiboumi(t, p, &peers.StartProsody(t, setup).Server, c)
}

func TestBiboumi(t *testing.T) {
	t.Parallel()
	p, c := biboumiScenario(t)
	setup := setupOf(p)
	setup.Components = []peers.Component{c}
	runBiboumi(t, p, &peers.StartDragoman(t, peers.Options{Setup: setup}).Server, c)
}
