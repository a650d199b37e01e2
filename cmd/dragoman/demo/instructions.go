package demo

// labelColumns is the width of what an address is for.
const labelColumns = 16

// printConnection prints what runs, and what to enter in a client.
func (s *localServer) printConnection(out *screen) {
	host, port := reachable(s.config.Listen.C2S[0])
	_, tlsPort := reachable(s.config.Listen.C2STLS[0])
	ports := port + " with STARTTLS, " + tlsPort + " with direct TLS"
	if s.otherPort {
		ports += " (the usual port is taken)"
	}
	out.heading("Dragoman demo")
	out.paragraph("Running on this machine: an XMPP server with its Slack and Discord gateways, and a fake Slack and a fake Discord server that they connect to.")
	out.blank()
	out.paragraph("To chat in a browser, without installing anything, or with any XMPP client:")
	out.entry("  Browser", s.webPage(), bold)
	for _, f := range [][2]string{
		{"Address (JID)", s.options.user + "@" + servedHost},
		{"Password", s.password},
		{"Server", host},
		{"Port", ports},
	} {
		out.entry("  "+f[0], f[1], bold)
	}
	if c, err := s.certificate(); err == nil {
		sum := fingerprint(c)
		out.entry("  Certificate", "for "+servedHost+", made by the demo: your client will ask whether you trust it. SHA-256:", plain)
		half := len(sum) / 2
		out.entry("", sum[:half+1]+"\n"+sum[half+1:], dim)
	}
	if s.temporary {
		out.entry("  Data", s.config.Server.Data+", removed at the end (--data names a directory that is kept)", plain)
	} else {
		out.entry("  Data", s.config.Server.Data, plain)
	}
}

// printTrust prints how a client is made to accept the certificate that asks nobody. The command is one line, to be copied.
func (s *localServer) printTrust(out *screen) {
	out.paragraph("Dino asks nobody, and accepts only certificates that the machine trusts. This command makes Debian trust this one; restart Dino after it:")
	out.whole(span{text: "  "}, span{text: s.trustCommand(), style: bold})
	out.paragraph("This one undoes it:")
	out.whole(span{text: "  "}, span{text: "sudo rm " + trustedFile + " && sudo update-ca-certificates --fresh"})
}

// printInstructions prints what to do after the tour.
func (s *localServer) printInstructions(out *screen, networks []*network, failed error) {
	out.heading("Your turn")
	if failed != nil {
		out.line(span{text: "The tour failed, but the server runs. " + failed.Error(), style: red})
	}
	host, port := reachable(s.config.Listen.C2S[0])
	out.paragraph("Open %s in a browser, and log in as %s@%s, password %s.", s.webPage(), s.options.user, servedHost, s.password)
	out.paragraph("Log in with a client as %s@%s, password %s, server %s, port %s.", s.options.user, servedHost, s.password, host, port)
	s.printTrust(out)
	out.paragraph("The simulated users of both networks answer you, and write to each other every minute or so.")
	for _, n := range networks {
		gateway := gatewayOf(n)
		out.heading(n.name + ", " + gateway)
		out.paragraph("Write help to %s to see what it can do: status, rooms, sync, link, relink, unlink and more. Or use its ad-hoc commands.", gateway)
		friend := n.users[0]
		out.line(span{"  To write to", plain, labelColumns}, span{n.names.userAddress(friend) + "@" + gateway, bold, 45}, span{friend.name, dim, 0})
		room := n.channels[0]
		out.line(span{"  To join", plain, labelColumns}, span{n.names.roomAddress(room) + "@" + gateway, bold, 45}, span{room.name, dim, 0})
		label := "  To link a second login, write \"link\" and paste"
		if s.options.noTour {
			label = "  To link a login, write \"link\" and paste"
		}
		out.line(span{text: label})
		credentials := n.spareCredentials
		if s.options.noTour {
			credentials = n.credentials
		}
		for _, c := range credentials {
			out.whole(span{text: "    "}, span{text: c.value})
		}
	}
	out.blank()
	out.paragraph("The steps of each message are printed below; the numbers are those of transports/doc.go. Ctrl-C ends the demo.")
	out.blank()
}
