from rest_framework.routers import SimpleRouter

from apps.agents.api import AgentViewSet, CommandViewSet

router = SimpleRouter(use_regex_path=False)
router.register("api/v1/agents", AgentViewSet, basename="agent")
router.register("api/v1/commands", CommandViewSet, basename="command")

urlpatterns = router.urls
