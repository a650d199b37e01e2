package bridge_test

import (
	"context"
	"testing"
	"testing/synctest"

	"github.com/dragoman-im/dragoman/transports"
	"github.com/dragoman-im/dragoman/transports/faultnet"
)

// gated is a network whose look-ups wait until gate is closed.
type gated struct {
	transports.Network
	gate chan struct{}
}

func (n gated) Open(ctx context.Context, l transports.Login, s transports.Sink) (transports.Client, error) {
	c, err := n.Network.Open(ctx, l, s)
	if err != nil {
		return nil, err
	}
	return gatedClient{c.(full), n.gate}, nil
}

func (n gated) ClientType() transports.Client { return gatedClient{} }

type gatedClient struct {
	full
	gate chan struct{}
}

func (c gatedClient) wait(ctx context.Context) error {
	select {
	case <-c.gate:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (c gatedClient) Members(ctx context.Context, r transports.MemberRequest) (transports.MemberPage, error) {
	if err := c.wait(ctx); err != nil {
		return transports.MemberPage{}, err
	}
	return c.full.Members(ctx, r)
}

func (c gatedClient) Profile(ctx context.Context, id transports.UserID) (transports.UserInfo, error) {
	if err := c.wait(ctx); err != nil {
		return transports.UserInfo{}, err
	}
	return c.full.Profile(ctx, id)
}

// While the network is asked for the members of a room, its events are processed; who enters comes in afterwards.
func TestSlowListOfMembers(t *testing.T) {
	withGateway(t, func(h *harness) {
		gate := make(chan struct{})
		h.net = gated{h.net, gate}
		h.start()
		h.link(phone, "ann")
		h.discard()
		if got := h.join(phone, "plaza"); len(got) != 0 {
			t.Errorf("entered without the members: %s", got[0])
		}
		h.sendToRoom(phone, "plaza", "sent while entering")
		h.world.Say("plaza", "cleo", "meanwhile")
		synctest.Wait()
		if n := h.count("bridge_archive"); n != 1 {
			t.Errorf("%d messages were processed", n)
		}
		close(gate)
		h.expect(phone, "plaza/Cleo: meanwhile", "plaza subject: Everything", "plaza/Ann: sent while entering")
	})
}

// While the network is asked who has written something, what is written in the same conversation is sent.
func TestSlowProfile(t *testing.T) {
	withGateway(t, func(h *harness) {
		gate := make(chan struct{})
		h.net = gated{h.net, gate}
		h.start()
		h.link(phone, "ann")
		h.world.AddUser(transports.UserInfo{ID: "dan", Name: "Dan"})
		h.discard()
		h.world.SayDirect("dan", "ann", "who am I")
		h.expect(phone)
		h.sendTo(phone, "dan", "written meanwhile")
		h.expectNetwork(faultnet.DirectRoom("ann", "dan"), "dan: who am I", "ann: written meanwhile")
		close(gate)
		h.expect(phone, "dan: who am I")
	})
}
