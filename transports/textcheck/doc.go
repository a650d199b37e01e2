// Package textcheck has what the tests of all conversions of texts share: the property that nothing that was
// typed is lost, texts that were lost or took long, and a measure of cost that holds on a busy machine.
//
// Nothing here starts a goroutine.
package textcheck
