/* Which rules of the gate are in force: all, unless a build made to be caught (tests/gate_mutants_e2e.sh) leaves one
 * out.
 */
#ifndef MODEL_GATE_RULES_H
#define MODEL_GATE_RULES_H

enum gate_rule {
#define GATE_RULE(name, what) GATE_RULE_##name,
#include "model/gate_rules.def"
#undef GATE_RULE
    GATE_RULES
};

#ifndef GATE_WITHOUT
#define GATE_WITHOUT GATE_RULES
#endif
#define GATE_RULE_ON(name) (GATE_RULE_##name != (GATE_WITHOUT))

#endif
