package integration_test

import (
	"context"
	"testing"

	"github.com/dragoman-im/dragoman/transports/discord/fake"
	"github.com/dragoman-im/dragoman/transports/discord/fake/honest"
)

// discordTown is a guild: the bot is the user's account, Ben the friend, #general the channel.
type discordTown struct {
	t       *testing.T
	server  *fake.Server
	bot     *fake.Bot
	ben     fake.ID
	general fake.ID
	token   string
}

// newDiscordTown starts a stand-in whose every request, answer and event is compared with
// Discord's own descriptions.
func newDiscordTown(t *testing.T) *discordTown {
	t.Helper()
	d := &discordTown{t: t, server: fake.New(fake.Options{Checker: honest.New(t), Unlimited: true})}
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

func (d *discordTown) must(err error) {
	d.t.Helper()
	if err != nil {
		d.t.Fatal(err)
	}
}

func (d *discordTown) kind() string                        { return "discord" }
func (d *discordTown) apiURL() string                      { return d.server.URL() + "/api/" }
func (d *discordTown) tokens() map[string]string           { return map[string]string{"token": d.token} }
func (d *discordTown) friend() (local, name, group string) { return string(d.ben), "Ben", "Acme" }
func (d *discordTown) channel() (local, name string)       { return string(d.general), "general" }
func (d *discordTown) outage()                             { d.server.Outage(fake.Dropped) }
func (d *discordTown) restore(ctx context.Context)         { d.must(d.server.Recover(ctx, true)) }
func (d *discordTown) redeliver()                          { d.bot.Reconnect() }
func (d *discordTown) revoke()                             { d.token = d.bot.ResetToken() }

func (d *discordTown) place(direct bool) fake.ID {
	if direct {
		return d.server.DM(d.ben, d.bot.ID())
	}
	return d.general
}

func (d *discordTown) says(direct bool, text string) note {
	d.t.Helper()
	id, err := d.server.Say(d.place(direct), d.ben, text)
	d.must(err)
	return note{direct, id}
}

func (d *discordTown) edits(n note, text string) {
	d.t.Helper()
	d.must(d.server.Edit(d.place(n.direct), n.id.(fake.ID), d.ben, text))
}

func (d *discordTown) deletes(n note) {
	d.t.Helper()
	d.must(d.server.Delete(d.place(n.direct), n.id.(fake.ID), d.ben))
}

func (d *discordTown) lines(direct bool) []string {
	var lines []string
	for _, m := range d.server.Transcript(d.place(direct)) {
		lines = append(lines, m.Name+": "+m.Text)
	}
	return lines
}

func (d *discordTown) comesOnline(online bool) {
	status := "offline"
	if online {
		status = "online"
	}
	d.server.SetPresence(d.ben, status, "")
}

func (d *discordTown) loseReply(direct bool) {
	route := "POST /webhooks/{webhook_id}/{webhook_token}"
	if direct {
		route = "POST /channels/{channel_id}/messages"
	}
	d.server.Inject(route, 1, fake.LoseReply())
}
