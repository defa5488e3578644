from rest_framework.routers import SimpleRouter

from apps.chat.api import SessionViewSet

router = SimpleRouter(use_regex_path=False)
router.register("api/v1/chat/sessions", SessionViewSet, basename="chat-session")

urlpatterns = router.urls
