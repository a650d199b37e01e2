package fake

import "strconv"

// Permissions are what a role, a member or an overwrite may do. (topics/permissions.mdx)
type Permissions uint64

// The permissions that this fake server knows.
const (
	CreateInvite         Permissions = 1 << 0
	KickMembers          Permissions = 1 << 1
	BanMembers           Permissions = 1 << 2
	Administrator        Permissions = 1 << 3
	ManageChannels       Permissions = 1 << 4
	ManageGuild          Permissions = 1 << 5
	AddReactions         Permissions = 1 << 6
	ViewChannel          Permissions = 1 << 10
	SendMessages         Permissions = 1 << 11
	ManageMessages       Permissions = 1 << 13
	EmbedLinks           Permissions = 1 << 14
	AttachFiles          Permissions = 1 << 15
	ReadMessageHistory   Permissions = 1 << 16
	MentionEveryone      Permissions = 1 << 17
	UseExternalEmojis    Permissions = 1 << 18
	ChangeNickname       Permissions = 1 << 26
	ManageNicknames      Permissions = 1 << 27
	ManageRoles          Permissions = 1 << 28
	ManageWebhooks       Permissions = 1 << 29
	ManageThreads        Permissions = 1 << 34
	CreatePublicThreads  Permissions = 1 << 35
	CreatePrivateThreads Permissions = 1 << 36
	SendInThreads        Permissions = 1 << 38
	PinMessages          Permissions = 1 << 51
	BypassSlowmode       Permissions = 1 << 52
)

// AllPermissions is what an owner has.
const AllPermissions Permissions = 1<<53 - 1

// EverybodysPermissions is what a new guild's @everyone may do.
const EverybodysPermissions = CreateInvite | AddReactions | ViewChannel | SendMessages | EmbedLinks |
	AttachFiles | ReadMessageHistory | UseExternalEmojis | ChangeNickname | CreatePublicThreads |
	CreatePrivateThreads | SendInThreads

// BridgePermissions is what a bridge asks for when it is invited.
const BridgePermissions = EverybodysPermissions | ManageWebhooks | ManageMessages | ManageChannels |
	ManageThreads | PinMessages

func (p Permissions) has(want Permissions) bool { return p&want == want }

func (p Permissions) json() string { return strconv.FormatUint(uint64(p), 10) }

// permissions is what a member may do in the guild as a whole.
func (g *guild) permissions(u *user) Permissions {
	m := g.members[u.id]
	if m == nil {
		return 0
	}
	if g.owner == u.id {
		return AllPermissions
	}
	p := g.role(g.id).permissions // @everyone has the guild's id
	for _, id := range m.roles {
		p |= g.role(id).permissions
	}
	if p.has(Administrator) {
		return AllPermissions
	}
	return p
}

// permissions is what a user may do in a channel, overwrites included.
// (topics/permissions.mdx, Permission Overwrites and Implicit Permissions)
func (c *channel) permissions(u *user) Permissions {
	if c.guild == nil {
		if c.recipient(u.id) {
			return AllPermissions
		}
		return 0
	}
	p := c.guild.permissions(u)
	if p == 0 || p == AllPermissions {
		return p
	}
	holder := c
	if c.thread != nil {
		holder = c.parent // a thread inherits its parent's
	}
	p = holder.applyOverwrites(p, c.guild.members[u.id])
	if !p.has(ViewChannel) {
		return 0
	}
	send := SendMessages
	if c.thread != nil {
		send = SendInThreads
		if c.thread.private && !c.thread.has(u.id) && !p.has(ManageThreads) {
			return 0
		}
		if p.has(SendInThreads) {
			p |= SendMessages
		} else {
			p &^= SendMessages
		}
	}
	if !p.has(send) {
		p &^= MentionEveryone | AttachFiles | EmbedLinks
	}
	return p
}

func (c *channel) applyOverwrites(p Permissions, m *member) Permissions {
	apply := func(allow, deny Permissions) { p = p&^deny | allow }
	var roleAllow, roleDeny Permissions
	for _, o := range c.overwrites {
		switch {
		case o.id == c.guild.id:
			apply(o.allow, o.deny)
		case !o.member && m.has(o.id):
			roleAllow, roleDeny = roleAllow|o.allow, roleDeny|o.deny
		}
	}
	apply(roleAllow, roleDeny)
	for _, o := range c.overwrites {
		if o.member && o.id == m.user.id {
			apply(o.allow, o.deny)
		}
	}
	return p
}
