"""The kill matrix: which rules of the protocol the kit shows to be broken, by devices with one defect each."""
