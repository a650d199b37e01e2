package integration_test

import (
	"context"
	"testing"

	"github.com/dragoman-im/dragoman/transports/discord/fake"
	"github.com/dragoman-im/dragoman/transports/discord/fake/conformance"
)

// discordNetwork is a guild: the bot is the user's login, Ben the friend, #general the channel.
type discordNetwork struct {
	t       *testing.T
	server  *fake.Server
	bot     *fake.Bot
	ben     fake.ID
	general fake.ID
	token   string
}

// newDiscordNetwork starts a fake server whose every request, answer and event is compared with
// Discord's own descriptions.
func newDiscordNetwork(t *testing.T) *discordNetwork {
	t.Helper()
	d := &discordNetwork{t: t, server: fake.New(fake.Options{Checker: conformance.New(t), Unlimited: true})}
	d.must(d.server.Start())
	t.Cleanup(func() {
		if err := d.server.Close(); err != nil {
			t.Error(err)
		}
	})
	owner := d.server.AddUser(fake.User{Name: "owner"})
	d.ben = d.server.AddUser(fake.User{Name: "ben", Display: "Ben", Avatar: true})
	guild := d.server.AddGuild("Acme", owner)
	d.server.AddMember(guild, d.ben)
	d.general = d.server.AddChannel(guild, fake.Channel{Name: "general", Topic: "All things"})
	d.bot = d.server.AddBot(fake.App{Name: "bridge", Allowed: fake.PrivilegedIntents})
	d.bot.Install(guild, fake.BridgePermissions)
	d.token = d.bot.Token()
	return d
}

func (d *discordNetwork) must(err error) {
	d.t.Helper()
	if err != nil {
		d.t.Fatal(err)
	}
}

func (d *discordNetwork) kind() string                        { return "discord" }
func (d *discordNetwork) apiURL() string                      { return d.server.URL() + "/api/" }
func (d *discordNetwork) tokens() map[string]string           { return map[string]string{"token": d.token} }
func (d *discordNetwork) friend() (local, name, group string) { return string(d.ben), "Ben", "Acme" }
func (d *discordNetwork) channel() (local, name string)       { return string(d.general), "general" }
func (d *discordNetwork) outage()                             { d.server.Outage(fake.Dropped) }
func (d *discordNetwork) restore(ctx context.Context)         { d.must(d.server.Recover(ctx, true)) }
func (d *discordNetwork) redeliver()                          { d.bot.Reconnect() }
func (d *discordNetwork) revoke()                             { d.token = d.bot.ResetToken() }

func (d *discordNetwork) conversation(direct bool) fake.ID {
	if direct {
		return d.server.DM(d.ben, d.bot.ID())
	}
	return d.general
}

func (d *discordNetwork) send(direct bool, text string) messageRef {
	d.t.Helper()
	id, err := d.server.Say(d.conversation(direct), d.ben, text)
	d.must(err)
	return messageRef{direct, id}
}

func (d *discordNetwork) edit(n messageRef, text string) {
	d.t.Helper()
	d.must(d.server.Edit(d.conversation(n.direct), n.id.(fake.ID), d.ben, text))
}

func (d *discordNetwork) remove(n messageRef) {
	d.t.Helper()
	d.must(d.server.Delete(d.conversation(n.direct), n.id.(fake.ID), d.ben))
}

func (d *discordNetwork) lines(direct bool) []string {
	var lines []string
	for _, m := range d.server.Transcript(d.conversation(direct)) {
		lines = append(lines, m.Name+": "+m.Text)
	}
	return lines
}

func (d *discordNetwork) setOnline(online bool) {
	status := "offline"
	if online {
		status = "online"
	}
	d.server.SetPresence(d.ben, status, "")
}

func (d *discordNetwork) loseReply(direct bool) {
	route := "POST /webhooks/{webhook_id}/{webhook_token}"
	if direct {
		route = "POST /channels/{channel_id}/messages"
	}
	d.server.Inject(route, 1, fake.LoseReply())
}

func (d *discordNetwork) asFakeNetwork() fakeNetwork { return fakeNetwork{d, d, d} }
