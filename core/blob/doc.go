// Package blob stores files by an id that its caller chooses at random: Disk in a directory; package s3 in an S3-compatible storage. A file is
// there as a whole or not at all, whatever happens while it is written: it is written under another name, synced, and renamed. Content
// passes through a small buffer, so that a file takes no memory.
//
// Files of Disk are opened through an os.Root: no id, and no link that somebody puts into the directory, leads out of it.
// There is no goroutine and no lock. Two writers of one id are a mistake of the caller.
package blob
